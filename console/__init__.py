"""The tenant console: pages and API views that join several packages."""
