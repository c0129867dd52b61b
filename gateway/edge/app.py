"""The edge: an ASGI app for the paths that completions take, ahead of Django."""

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from common.errors import OrchestratorError
from common.ids import new_id
from gateway import metrics
from gateway.edge.asgi import ClientGone, Receive, Scope, Send
from gateway.edge.credentials import refuse_repeated
from gateway.edge.errors import WrongMethod, unexpected
from gateway.edge.request import Request
from gateway.edge.response import Response
from gateway.edge.routes import Route, find_route, name_in

if TYPE_CHECKING:
    from gateway.services import Services

log = structlog.get_logger(__name__)

CLIENT_GONE: Final = 499
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


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
        query: bytes = scope.get("query_string", b"")
        request = Request(new_id(), dict(scope["headers"]), name_in(path), loop.time(), query, scope["method"], path)
        response = Response(send, request.id, route.words, route.id_headers)
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
