from django.contrib.admin.apps import AdminConfig


class PlatformAdminConfig(AdminConfig):
    """`django.contrib.admin` with our site as the one that `admin.register` means."""

    default_site = "tenants.admin_scope.PlatformAdminSite"
