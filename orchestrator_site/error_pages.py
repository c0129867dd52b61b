"""handler400 … handler500: a page for people, the API's error object below /v1/."""

import sys
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from common import errors
from gateway.edge.errors import unexpected
from orchestrator_site.api_errors import as_orchestrator_error, headers_of
from providers.wire.openai.words import error_object

API_PREFIX: Final = "/v1/"
TITLES: Final = {
    400: "That request makes no sense",
    403: "You may not see this",
    404: "There is nothing here",
    503: "Not available at the moment",
}
ADVICE: Final = {
    400: "Something in it is broken or too large. Go back and try again.",
    403: "You are signed in as somebody who has no access to this page.",
    404: "The address may be mistyped, or the page may have moved.",
    503: "Something we need does not answer right now. Please try again in a moment.",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(
        request, as_orchestrator_error(exception) or errors.InvalidRequest("The request cannot be understood.")
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return answer(request, errors.PermissionDenied("You may not do this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    message = f"Unknown request URL: {request.method} {request.path}. /docs lists what there is."
    return answer(request, errors.NotFound(message, code="unknown_url"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls it while the error is being handled, so that a database that is away can be told from a fault."""
    known = as_orchestrator_error(sys.exc_info()[1])
    return answer(request, known or unexpected())


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return answer(
        request, errors.PermissionDenied("This form has expired. Go back, reload the page and send it again.")
    )


def answer(request: HttpRequest, error: errors.OrchestratorError) -> HttpResponse:
    headers = headers_of(error)
    if request.path.startswith(API_PREFIX):
        return JsonResponse(error_object(error), status=error.status, headers=headers)
    page = {
        "title": TITLES.get(error.status, "Something went wrong"),
        "advice": ADVICE.get(error.status, "It is our fault, and it has been noted. Please try again in a moment."),
        "status": error.status,
    }
    response = render(request, "error.html", page, status=error.status)
    for name, value in headers.items():
        response[name] = value
    return response
