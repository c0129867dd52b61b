"""Lists of models on several pages, of vendors that keep to their word and of those that don't."""

import itertools
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from common.errors import UpstreamRefused, UpstreamTimeout
from providers.client.discovery import MOST_PAGES, fetch_model_list
from providers.tests.faulty_vendor import LOOPBACK
from providers.wire.model_list import MOST_MODELS


@contextmanager
def vendor(page):
    """`page` is asked with the query of each request, and its turn; it answers a document, a status, or None: never."""
    asked, turns, release = [], itertools.count(), threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            asked.append(query)
            answer = page(query, next(turns))
            if answer is None:
                release.wait(20)
                return
            status, body = (answer, b"") if isinstance(answer, int) else (200, msgspec.json.encode(answer))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/models?limit=1000", asked
    finally:
        release.set()
        server.shutdown()
        server.server_close()


async def listed(url, **deadline):

    return await fetch_model_list(url, (), LOOPBACK, "platform", **deadline)


def anthropic(ids, *, more):
    return {"data": [{"id": each} for each in ids], "has_more": more, "first_id": ids[0], "last_id": ids[-1]}


async def test_anthropics_pages_are_followed_by_the_last_id():
    """platform.claude.com/docs/en/api/models-list"""
    pages = {None: anthropic(["c", "b"], more=True), "b": anthropic(["a"], more=False)}
    with vendor(lambda query, _: pages[query.get("after_id")]) as (url, asked):
        found = await listed(url)
    assert ([model.name for model in found.models], found.cut) == (["a", "b", "c"], False)
    assert asked == [{"limit": "1000"}, {"limit": "1000", "after_id": "b"}]


async def test_geminis_pages_are_followed_by_their_token():
    """ai.google.dev/api/models#method:-models.list: a token is not to be read, and has characters of all kinds."""
    pages = {
        None: {"models": [{"name": "models/a"}], "nextPageToken": "Ch5tb2+/&x=="},
        "Ch5tb2+/&x==": {"models": [{"name": "models/b"}]},
    }
    with vendor(lambda query, _: pages[query.get("pageToken")]) as (url, _):
        found = await listed(url)
    assert ([model.name for model in found.models], found.cut) == (["a", "b"], False)


async def test_a_server_that_goes_in_circles_is_asked_no_further():
    circle = {None: ["a"], "a": ["b"], "b": ["a"]}
    with vendor(lambda query, _: anthropic(circle[query.get("after_id")], more=True)) as (url, asked):
        found = await listed(url)
    assert ([model.name for model in found.models], found.cut) == (["a", "b"], True)
    assert len(asked) == 3


async def test_a_server_that_has_always_one_more_page_is_cut():
    with vendor(lambda _, turn: anthropic([f"m{turn}"], more=True)) as (url, asked):
        found = await listed(url)
    assert (len(found.models), found.cut, len(asked)) == (MOST_PAGES, True, MOST_PAGES)


async def test_no_more_models_are_taken_than_the_most():
    with vendor(lambda _, turn: anthropic([f"m{turn}-{each}" for each in range(3000)], more=True)) as (url, asked):
        found = await listed(url)
    assert (len(found.models), found.cut, len(asked)) == (MOST_MODELS, True, 4)


@pytest.mark.parametrize("later", [500, 429, {"error": "no"}, None])
async def test_what_goes_wrong_on_a_later_page_leaves_the_earlier_ones(later):
    with vendor(lambda _, turn: later if turn else anthropic(["a"], more=True)) as (url, _):
        found = await listed(url, seconds=0.5)
    assert ([model.name for model in found.models], found.cut) == (["a"], True)


@pytest.mark.parametrize(("first", "raised"), [(500, UpstreamRefused), (None, UpstreamTimeout)])
async def test_what_goes_wrong_on_the_first_page_is_raised(first, raised):
    with vendor(lambda _, turn: first) as (url, _), pytest.raises(raised):
        await listed(url, seconds=0.3)


@pytest.mark.parametrize("cursor", [7, "", None, ["a"], "x" * 3000])
async def test_a_cursor_that_is_none_ends_the_list(cursor):
    with vendor(lambda *_: {"data": [{"id": "a"}], "has_more": True, "last_id": cursor}) as (url, asked):
        found = await listed(url)
    assert (len(found.models), found.cut, len(asked)) == (1, False, 1)
