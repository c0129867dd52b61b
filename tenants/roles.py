"""What a person is in a tenant."""

from enum import StrEnum


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    BILLING = "billing"
    DEVELOPER = "developer"
    MEMBER = "member"
    VIEWER = "viewer"
