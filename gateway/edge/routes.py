"""Which paths are the gateway's, and who answers them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from gateway.edge.asgi import Receive
from gateway.edge.completions import Completions, Memory
from gateway.edge.count_tokens import count_tokens
from gateway.edge.explain import explain_route
from gateway.edge.models import list_models, one_model
from gateway.edge.request import Request
from gateway.edge.response import ID_HEADERS, Response, Words
from gateway.edge.responses import get_or_delete, input_items, remembered
from providers.wire.openai.tasks import parse_task_request, parse_upload
from providers.wire.registry import SPEECHES
from providers.wire.shapes import ChatRequest, Dialect

if TYPE_CHECKING:
    from gateway.services import Services

Endpoint = Callable[["Services", Request, Receive, Response], Awaitable[None]]

READ: Final = frozenset({"GET", "HEAD"})
POST: Final = frozenset({"POST"})
MODELS: Final = "/v1/models"
ONE_MODEL: Final = "/v1/models/"
# Words in the place of a model's name: the control plane's.
RESERVED: Final = frozenset(f"/v1/models/{word}" for word in ("providers", "search", "compare", "refresh"))
DONE: Final = b"data: [DONE]\n\n"
MESSAGE_STOP: Final = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
# Anthropic's SDKs read the shorter name.
ANTHROPICS_IDS: Final = (*ID_HEADERS, b"request-id")
FORM: Final = (b"multipart/form-data",)


@dataclass(frozen=True, slots=True)
class Route:
    """`template` is its name in metrics."""

    template: str
    methods: frozenset[str]
    endpoint: Endpoint
    words: Words = SPEECHES["chat"]
    id_headers: tuple[bytes, ...] = ID_HEADERS

    @property
    def allow(self) -> bytes:
        return ", ".join([*sorted(self.methods), "OPTIONS"]).encode()


def spoken_at(
    path: str,
    dialect: Dialect,
    closing: bytes = b"",
    passed: tuple[bytes, ...] = (),
    id_headers: tuple[bytes, ...] = ID_HEADERS,
    *,
    memory: Memory | None = None,
) -> Route:
    speech = SPEECHES[dialect]

    def parse(body: bytes, content_type: str) -> ChatRequest:
        return speech.parse_request(body)

    return Route(path, POST, Completions(parse, closing, passed=passed, memory=memory), speech, id_headers)


def task_at(path: str, dialect: Dialect) -> Route:
    def parse(body: bytes, content_type: str) -> ChatRequest:
        return parse_task_request(body, dialect)

    return Route(path, POST, Completions(parse))


UPLOADED: Final = Completions(partial(parse_upload, dialect="transcriptions"), kinds=FORM)
ROUTES: Final = {
    route.template: route
    for route in (
        spoken_at("/v1/chat/completions", "chat", DONE),
        spoken_at("/v1/completions", "completions", DONE),
        spoken_at("/v1/messages", "messages", MESSAGE_STOP, (b"anthropic-version", b"anthropic-beta"), ANTHROPICS_IDS),
        Route("/v1/messages/count_tokens", POST, count_tokens, SPEECHES["messages"], ANTHROPICS_IDS),
        spoken_at("/v1/responses", "responses", memory=remembered),
        task_at("/v1/embeddings", "embeddings"),
        task_at("/v1/moderations", "moderations"),
        task_at("/v1/images/generations", "images"),
        task_at("/v1/audio/speech", "speech"),
        task_at("/v1/rerank", "rerank"),
        Route("/v1/audio/transcriptions", POST, UPLOADED),
        Route(MODELS, READ, list_models),
    )
}
GET_MODEL: Final = Route("/v1/models/{id}", READ, one_model)
ONE_RESPONSE: Final = "/v1/responses/"
EXPLAIN: Final = ("/v1/routes/", "/explain")
EXPLAINED: Final = Route("/v1/routes/{name}/explain", POST, explain_route)
STORED_RESPONSE: Final = Route("/v1/responses/{id}", READ | {"DELETE"}, get_or_delete)
ITEMS_OF_ONE: Final = "/input_items"
INPUT_ITEMS: Final = Route("/v1/responses/{id}/input_items", READ, input_items)


def find_route(path: str) -> Route | None:
    if route := ROUTES.get(path):
        return route
    if path.startswith(EXPLAIN[0]) and path.endswith(EXPLAIN[1]):
        return EXPLAINED
    if path.startswith(ONE_MODEL):
        return ROUTES[MODELS] if path == ONE_MODEL else None if path in RESERVED else GET_MODEL
    if not path.startswith(ONE_RESPONSE) or path == ONE_RESPONSE:
        return None
    return INPUT_ITEMS if path.endswith(ITEMS_OF_ONE) else STORED_RESPONSE


def name_in(path: str) -> str:
    """The {id} of a path."""
    if path.startswith(ONE_RESPONSE):
        return path.removeprefix(ONE_RESPONSE).removesuffix(ITEMS_OF_ONE)
    return path.removeprefix(ONE_MODEL).removeprefix(EXPLAIN[0]).removesuffix(EXPLAIN[1])
