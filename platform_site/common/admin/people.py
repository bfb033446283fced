"""Users and groups: for administrators only; a user is deactivated, never deleted."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from platform_site.common.admin.base import MatrixPermissions

admin.site.unregister(User)
admin.site.unregister(Group)


@admin.register(User)
class UserAdmin(MatrixPermissions, DjangoUserAdmin, ModelAdmin):
    """People who sign in. Their rights come from their groups; administrators have the flag."""

    view_permission = change_permission = "user:manage"
    icon, rank = "person", 70
    form, add_form, change_password_form = UserChangeForm, UserCreationForm, AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")
    list_per_page = 25
    list_fullwidth = True
    show_full_result_count = False
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password", "email", "first_name", "last_name")}),
        ("Rights", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}


@admin.register(Group)
class GroupAdmin(MatrixPermissions, DjangoGroupAdmin, ModelAdmin):
    """Roles. What each may do is the matrix of the code, not a list in the database."""

    view_permission = "user:manage"
    icon, rank = "groups", 71
    fields = ("name",)
    list_per_page = 25

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {}
