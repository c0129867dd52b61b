-- Run once, by the superuser, when the database server starts empty. The platform logs in as a role that
-- row-level security binds: it may make the two roles it works as and enter them, but inherits nothing from them.
\getenv password ORCHESTRATOR_PASSWORD
CREATE ROLE orchestrator LOGIN NOSUPERUSER CREATEROLE PASSWORD :'password';
ALTER ROLE orchestrator SET createrole_self_grant = 'set';
CREATE DATABASE orchestrator OWNER orchestrator;
\connect orchestrator
CREATE EXTENSION IF NOT EXISTS vector;
