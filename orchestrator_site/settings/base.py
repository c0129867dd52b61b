"""What every process shares."""

import os
from pathlib import Path

import orchestrator_site
from orchestrator_site.settings.databases import database
from orchestrator_site.settings.environment import Environment
from orchestrator_site.settings.mail import mail

BASE_DIR = Path(__file__).resolve().parents[2]
ENVIRONMENT = Environment.read(os.environ)
PRODUCTION = ENVIRONMENT.orchestrator_env == "production"

DEBUG = False
SECRET_KEY = ENVIRONMENT.secret_key
ROOT_URLCONF = "orchestrator_site.urls"
PUBLIC_SCHEMA_URLCONF = "orchestrator_site.urls_public"
ASGI_APPLICATION = "orchestrator_site.asgi.application"
# Hosts are rows: tenants.middleware refuses a host that is not a Domain.
ALLOWED_HOSTS = ["*"]

SHARED_APPS = [
    "tenants",
    "providers",
    "billing",
    "console",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "tenants.admin_config.PlatformAdminConfig",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "csp",
    # After those whose admin pages it changes.
    "orchestrator_site",
    # Last: its commands and admin templates would otherwise stand before ours and Django's.
    "django_tenants",
]
TENANT_APPS = ["providers", "chat"]
# What people said is in their tenant's schema alone.
INSTALLED_APPS = ["chat", *SHARED_APPS]

TENANT_MODEL = "tenants.Tenant"
TENANT_DOMAIN_MODEL = "tenants.Domain"
AUTH_USER_MODEL = "tenants.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

DATABASES = {"default": database(ENVIRONMENT.database_url)}
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": ENVIRONMENT.redis_url,
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    },
}
CHANNEL_LAYERS = {
    "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [ENVIRONMENT.redis_url]}},
}
SESSION_ENGINE = "tenants.sessions"

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "orchestrator_site.static_files.StaticFiles",
    "csp.middleware.CSPMiddleware",
    "tenants.middleware.TenantMiddleware",
    "orchestrator_site.request_notes.RequestNotes",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "console.suspension.SuspendedTenants",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "orchestrator_site.idempotent_posts.IdempotentPosts",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = BASE_DIR / "var" / "static"
# Where nothing has been collected, files are served from where they are.
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGOUT_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "console.accounts.Accounts"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MAIL_IS_SENT = bool(ENVIRONMENT.email_url) or not PRODUCTION
globals().update(mail(ENVIRONMENT.email_url))
DEFAULT_FROM_EMAIL = ENVIRONMENT.email_from
CSRF_FAILURE_VIEW = "orchestrator_site.error_pages.csrf_failure"

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["tenants.api_parsing.BoundedJSONParser"],
    "DEFAULT_AUTHENTICATION_CLASSES": ["tenants.api_authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "orchestrator_site.api_errors.respond",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Orchestrator API",
    "DESCRIPTION": "One reliable, metered door in front of every LLM provider. Speaks the wire of the OpenAI API.",
    "VERSION": orchestrator_site.__version__,
    "SERVE_URLCONF": "orchestrator_site.urls_api",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/v1",
    "OAS_VERSION": "3.1.1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "POSTPROCESSING_HOOKS": ["orchestrator_site.openapi.edge.document_edge"],
}

LOGGING_CONFIG = "orchestrator_site.logs.configuration.configure"
LOGGING = {"level": ENVIRONMENT.log_level, "format": ENVIRONMENT.log_format}

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    },
}
