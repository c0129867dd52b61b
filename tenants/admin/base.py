"""What our admin pages share: what a page saves or deletes goes through an action, and a refusal is shown."""

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from common.errors import OrchestratorError

Row = TypeVar("Row", bound=Model)

if TYPE_CHECKING:
    GenericModelAdmin = admin.ModelAdmin
else:

    class GenericModelAdmin(admin.ModelAdmin, Generic[Row]):
        """Django's class takes a type in its stubs alone."""


class ActionAdmin(GenericModelAdmin[Row]):
    """Subclasses say `add`, `change` and `remove`; what one does not say, its pages do not offer."""

    add_fields: tuple[str, ...] = ()
    change_fields: tuple[str, ...] = ()
    show_full_result_count = False

    def add(self, request: HttpRequest, values: dict[str, Any]) -> Any:
        """Makes the row by an action; returns its primary key. `values` are the cleaned form's."""
        raise NotImplementedError

    def change(self, request: HttpRequest, row: Row, values: dict[str, Any]) -> None:
        raise NotImplementedError

    def remove(self, request: HttpRequest, row: Row) -> None:
        raise NotImplementedError

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(self.add_fields) and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        # Without a row it is asked for the list, whose admin actions need no fields.
        offered = self.change_fields or (obj is None and self.actions)
        return bool(offered) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        return type(self).remove is not ActionAdmin.remove and super().has_delete_permission(request, obj)

    def get_fields(self, request: HttpRequest, obj: Row | None = None) -> Any:
        return self.add_fields if obj is None else (*self.change_fields, *self.get_readonly_fields(request, obj))

    def get_readonly_fields(self, request: HttpRequest, obj: Row | None = None) -> Any:
        return () if obj is None else tuple(name for name in self.readonly_fields if name not in self.change_fields)

    def save_model(self, request: HttpRequest, obj: Row, form: "forms.ModelForm[Row]", change: bool) -> None:
        if change:
            self.change(request, type(obj)._default_manager.get(pk=obj.pk), form.cleaned_data)
        else:
            obj.pk = self.add(request, form.cleaned_data)
            obj._state.adding = False

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """There is nothing beside the row itself to save."""

    def delete_model(self, request: HttpRequest, obj: Row) -> None:
        self.remove(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Row]") -> None:
        for row in queryset:
            self.remove(request, row)

    def changeform_view(
        self, request: HttpRequest, object_id: Any = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return self.shown_here(request, super().changeform_view, request, object_id, form_url, extra_context)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        return self.shown_here(request, super().delete_view, request, object_id, extra_context)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return self.shown_here(request, super().changelist_view, request, extra_context)

    def shown_here(self, request: HttpRequest, view: Any, *args: Any) -> HttpResponse:
        """The view's answer, or the page again with what an action refused; all that the view wrote is undone then.

        Django itself makes a list's actions no whole: it logs a deletion before it asks for one.
        """
        try:
            with transaction.atomic():
                response: HttpResponse = view(*args)
        except OrchestratorError as error:
            field = f"{error.param.replace('_', ' ').capitalize()}: " if error.param else ""
            self.message_user(request, field + error.message, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return response
