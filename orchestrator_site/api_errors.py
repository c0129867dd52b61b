"""Refusals of Django and DRF as errors of ours, told in the same form as the edge's."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from psycopg_pool import PoolTimeout
from redis import RedisError
from rest_framework import exceptions
from rest_framework.response import Response

from common import errors
from gateway.edge.errors import error_headers
from providers.wire.openai.words import error_object
from tenants.credentials import missing_key

NON_FIELD: Final = "non_field_errors"


def respond(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER. None leaves an error nobody foresaw to Django, which logs it and answers 500."""
    known = as_orchestrator_error(error)
    if known is None:
        return None
    return Response(error_object(known), status=known.status, headers=headers_of(known))


def headers_of(error: errors.OrchestratorError) -> dict[str, str]:
    """The edge's headers, as Django takes them."""
    return {name.decode(): value.decode() for name, value in error_headers(error)}


def as_orchestrator_error(error: BaseException | None) -> errors.OrchestratorError | None:
    """The same refusal in our tree of errors; None for one that nobody foresaw."""
    if isinstance(error, errors.OrchestratorError):
        return error
    if isinstance(error, exceptions.ValidationError):
        param, message = first_complaint(error.detail)
        return errors.InvalidRequest(message, param=param)
    if isinstance(error, exceptions.APIException):
        return from_framework(error)
    return next((make() for kinds, make in FORESEEN if isinstance(error, kinds)), None)


FORESEEN: Final[tuple[tuple[tuple[type[Exception], ...], Callable[[], errors.OrchestratorError]], ...]] = (
    ((Http404,), lambda: errors.NotFound("There is nothing here.")),
    ((PermissionDenied,), lambda: errors.PermissionDenied("You may not do this.")),
    ((RequestDataTooBig,), lambda: errors.PayloadTooLarge("The request body is too large.")),
    ((BadRequest, SuspiciousOperation), lambda: errors.InvalidRequest("The request cannot be understood.")),
    (
        (OperationalError, InterfaceError, PoolTimeout),
        lambda: errors.Unavailable("The database cannot be reached at the moment.", retry_after=1),
    ),
    ((RedisError,), lambda: errors.Unavailable("The counters cannot be reached at the moment.", retry_after=1)),
)
STATUSES: Final = {
    400: errors.InvalidRequest,
    401: errors.Unauthenticated,
    403: errors.PermissionDenied,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    409: errors.Conflict,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMediaType,
    429: errors.RateLimited,
    503: errors.Unavailable,
}


def from_framework(error: exceptions.APIException) -> errors.OrchestratorError:
    """DRF's own refusals: parsing, method, media type, sign-in, throttling."""
    if isinstance(error, exceptions.NotAuthenticated):
        return missing_key()
    kind = STATUSES.get(error.status_code, errors.InvalidRequest)
    return kind(str(error.detail), status=error.status_code, retry_after=getattr(error, "wait", None))


def place_of(name: str | int, path: str) -> str:
    """DRF names the wrong items of a list by number."""
    if isinstance(name, int):
        return f"{path}[{name}]"
    return path if name == NON_FIELD else f"{path}.{name}".lstrip(".")


def first_complaint(detail: Any, path: str = "") -> tuple[str | None, str]:
    """The place of the first thing wrong, as in `members[0].email`, and what is wrong with it."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            if inner:
                return first_complaint(inner, place_of(name, path))
    if isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            if inner:
                nested = isinstance(inner, Mapping)
                return first_complaint(inner, f"{path}[{index}]" if nested else path)
    return path or None, str(detail)
