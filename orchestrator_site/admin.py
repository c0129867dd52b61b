"""What the operators' admin shows beside the apps' own pages. Loaded last, when all of them are registered."""

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.models import Group

admin.site.index_title = "Administration"
# Nobody gets a permission by group here, and people's addresses are changed where people are.
admin.site.unregister([Group, EmailAddress])
