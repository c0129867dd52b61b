"""The edge: an ASGI app for the paths that completions take, ahead of Django."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from common.errors import OrchestratorError
from common.ids import new_id
from gateway import metrics
from gateway.edge.asgi import ClientGone, Receive, Scope, Send
from gateway.edge.chat_completions import chat_completions
from gateway.edge.credentials import refuse_repeated
from gateway.edge.errors import WrongMethod, unexpected
from gateway.edge.models import list_models, one_model
from gateway.edge.request import Request
from gateway.edge.response import Response

if TYPE_CHECKING:
    from gateway.services import Services

log = structlog.get_logger(__name__)

COMPLETIONS: Final = "/v1/chat/completions"
MODELS: Final = "/v1/models"
ONE_MODEL: Final = "/v1/models/"
# Words in the place of a model's name: the control plane's.
RESERVED: Final = frozenset(f"/v1/models/{word}" for word in ("providers", "search", "compare", "refresh"))
CLIENT_GONE: Final = 499
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


Endpoint = Callable[["Services", Request, Receive, Response], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Route:
    """`template` is its name in metrics."""

    template: str
    methods: frozenset[str]
    allow: bytes
    endpoint: Endpoint


POST_COMPLETION = Route(COMPLETIONS, frozenset({"POST"}), b"POST, OPTIONS", chat_completions)
LIST_MODELS = Route(MODELS, frozenset({"GET", "HEAD"}), b"GET, HEAD, OPTIONS", list_models)
GET_MODEL = Route("/v1/models/{id}", frozenset({"GET", "HEAD"}), b"GET, HEAD, OPTIONS", one_model)


class GatewayEdge:
    """Answers the paths that `find_route` knows, with request ids, errors and metrics of its own."""

    def __init__(self, services: "Services") -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        route = find_route(path)
        if route is None:
            raise LookupError("this path is not the gateway's")
        loop = asyncio.get_running_loop()
        request = Request(
            new_id(), dict(scope["headers"]), path.removeprefix(ONE_MODEL), loop.time(), scope.get("query_string", b"")
        )
        response = Response(send, request.id)
        try:
            if len(request.headers) != len(scope["headers"]):
                refuse_repeated(scope["headers"])
            await self._answer(route, scope["method"], request, receive, response)
        except OrchestratorError as error:
            await response.fail(error)
        except ClientGone:
            pass
        except Exception:
            log.exception("request_failed", request_id=str(request.id), route=route.template)
            await response.fail(unexpected())
        finally:
            method = scope["method"] if scope["method"] in METHODS else "other"
            status = response.status if response.ended else CLIENT_GONE
            metrics.record_request(method, route.template, status, loop.time() - request.began)

    async def _answer(self, route: Route, method: str, request: Request, receive: Receive, response: Response) -> None:
        if method in route.methods:
            await route.endpoint(self._services, request, receive, response)
        elif method == "OPTIONS":
            await response.empty([(b"allow", route.allow)])
        else:
            raise WrongMethod(method, route.allow)


def find_route(path: str) -> Route | None:
    if path == COMPLETIONS:
        return POST_COMPLETION
    if path in (MODELS, ONE_MODEL):
        return LIST_MODELS
    return GET_MODEL if path.startswith(ONE_MODEL) and path not in RESERVED else None
