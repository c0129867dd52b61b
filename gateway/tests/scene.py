"""A scene: providers at the fault upstream, routes over them, and one gateway or two, told what to play."""

import itertools
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiohttp
from django.test import Client

from benchmarks.upstream.plans import Plan
from benchmarks.upstream.request import answer_texts
from gateway.failover.budgets import Budget
from gateway.tests.conftest import MESSAGES, Upstream, events, settlements
from gateway.tests.stage import Gateway, eventually
from providers.actions.credentials import change_credential, set_credential
from providers.actions.models import ModelOffer, offer_models
from providers.actions.providers import create_provider
from providers.actions.routes import create_route
from providers.scope import Owner
from tenants import database_threads
from tenants.tests.cast import CastTenant

SECRET = "sk-upstream-secret"
PRICES: Mapping[str, Any] = {"input_nano_per_mtok": 2_000_000_000, "output_nano_per_mtok": 8_000_000_000}
USUAL: Mapping[str, Any] = {"first_byte_seconds": 0.4, "between_chunks_seconds": 0.4}
SECONDS = 10.0


def whole_text(chunks: int = 5) -> str:
    """What the upstream answers with."""
    return "".join(answer_texts(Plan(chunks=chunks)))


@dataclass(frozen=True, slots=True)
class Reply:
    """What a caller got; `seconds` is how long that took."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float
    gateway: Gateway

    @property
    def request_id(self) -> str:
        return self.headers["x-request-id"]

    @property
    def answer(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.answer["error"]

    @property
    def events(self) -> list[Any]:
        return events(self.body)

    @property
    def text(self) -> str:
        """Of a chat completion, whole or streamed."""
        if not self.headers["content-type"].startswith("text/event-stream"):
            return str(self.answer["choices"][0]["message"]["content"])
        chunks = [each for each in self.events if isinstance(each, dict)]
        choices = [choice for each in chunks for choice in each.get("choices", ())]
        return "".join(choice["delta"].get("content") or "" for choice in choices)


class Scene:
    """A provider is named by the test, and called otherwise in the product, so that no two scenes share one."""

    def __init__(self, tenant: CastTenant, upstream: Upstream, gateways: Sequence[Gateway]) -> None:
        self.tenant = tenant
        self.owner: Owner = tenant.tenant
        self.upstream = upstream
        self.gateways = gateways
        for gateway in gateways:
            # What scenes before this one have spent is not its loss.
            gateway.services.retries, gateway.services.hedges = Budget(), Budget()
        self._next = itertools.cycle(gateways)
        self._number = f"-{secrets.token_hex(4)}"
        self.providers: dict[str, UUID] = {}
        self._offered: set[str] = set()
        self._changed = False

    def name(self, short: str) -> str:
        """ "spare/plain" as the product calls it."""
        provider, sign, model = short.partition("/")
        return f"{provider}{self._number}{sign}{model}"

    async def provider(
        self, name: str, *, secrets: Sequence[str] = (SECRET,), limits: Sequence[int | None] = (), **values: Any
    ) -> None:
        """`limits`: requests a minute of each of its credentials."""

        def make() -> UUID:
            url = f"{values.pop('url', self.upstream.url)}/v1"
            made = create_provider(owner=owner, name=self.name(name), base_url=url, **{**USUAL, **values})
            for number, secret in enumerate(secrets):
                key = set_credential(owner=owner, provider_id=made, secret=secret, label=f"key{number}")
                if limits:
                    change_credential(owner=owner, credential_id=key, requests_per_minute=limits[number])
            return made

        owner = self.owner
        self.providers[name] = await in_database(make)

    async def offer(self, target: str, **traits: Any) -> None:
        provider, _, model = target.partition("/")
        if provider not in self.providers:
            await self.provider(provider)
        self._offered.add(target)
        offer = ModelOffer(**{"name": model, **PRICES, **traits})
        owner, made = self.owner, self.providers[provider]
        await in_database(lambda: offer_models(owner=owner, provider_id=made, offers=[offer]))
        self._changed = True

    async def route(self, *targets: str | dict[str, Any], name: str = "route", **options: Any) -> str:
        """Its name. What it leads to is offered first; `options` are fields of its policy, but for `strategy`."""
        strategy = options.pop("strategy", "priority")
        rules = [each if isinstance(each, dict) else {"target": each} for each in targets]
        policy = self._policy(options)
        for target in [*(each["target"] for each in rules), *named_in(options)]:
            if target not in self._offered and not target.endswith("*"):
                await self.offer(target)
        shown = [{**each, "target": self.name(each["target"])} for each in rules]
        made = f"{name}{self._number}" if "*" not in name else name
        owner = self.owner
        await in_database(lambda: create_route(owner=owner, name=made, targets=shown, strategy=strategy, policy=policy))
        self._changed = True
        return made

    async def ask(
        self,
        model: str,
        *,
        path: str = "/chat/completions",
        key: str = "",
        headers: Mapping[str, str] | None = None,
        mock: Mapping[str, Any] | None = None,
        gateway: Gateway | None = None,
        **fields: Any,
    ) -> Reply:
        """At the next gateway in turn. `mock` is what every target is to do."""
        asked = gateway or next(self._next)
        body = {"model": model, "messages": MESSAGES, **fields}
        if mock is not None:
            body["metadata"] = {"mock": json.dumps(mock)}
        if self._changed:
            await self.refresh()
        sent = {"authorization": f"Bearer {key or self.tenant.key}", "connection": "close", **(headers or {})}
        began = time.monotonic()
        async with asked.session.post(f"{asked.url}{path}", json=body, headers=sent) as response:
            payload = await response.read()
        return Reply(response.status, response.headers, payload, time.monotonic() - began, asked)

    async def ask_each(self, model: str, **options: Any) -> list[Reply]:
        """At every gateway, one after the other."""
        return [await self.ask(model, gateway=gateway, **options) for gateway in self.gateways]

    def seen(self, reply: Reply) -> list[dict[str, Any]]:
        """What the upstream got of a request, in the order of time."""
        return self.upstream.lines(reply.request_id, "received")

    def models_seen(self, reply: Reply) -> list[str]:
        return [line["model"] for line in self.seen(reply)]

    def gaps(self, reply: Reply) -> list[float]:
        """Seconds between one call of the upstream and the next."""
        at = [line["at"] for line in self.seen(reply)]
        return [later - earlier for earlier, later in itertools.pairwise(at)]

    async def settled(self, reply: Reply, count: int = 1) -> list[dict[str, Any]]:
        return await settlements(reply.gateway, reply.request_id, count)

    async def record(self, reply: Reply) -> dict[str, Any]:
        """What GET /v1/requests/{id} says once the request has ended."""
        found = await eventually(lambda: self._ended(reply.request_id))
        assert found, f"no record of {reply.request_id}"
        return dict(found)

    async def refresh(self) -> None:
        """What was changed is known to every gateway."""
        self._changed = False
        for gateway in self.gateways:
            await gateway.services.configs.poll()

    async def down(self, model: str, seconds: float, **outage: Any) -> None:
        """Takes a model away, for all who ask this upstream for it."""
        wish = {"model": model, "down_seconds": seconds, **outage}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.upstream.url}/mock/state", json=wish) as response,
        ):
            assert response.status == 200

    async def _ended(self, request_id: str) -> dict[str, Any] | None:
        headers = {"authorization": f"Bearer {self.tenant.key}", "host": self.tenant.host}
        answer = await in_database(lambda: Client().get(f"/v1/requests/{request_id}", headers=headers))
        return answer.json() if answer.status_code == 200 and answer.json()["state"] == "ended" else None

    def _policy(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """With the product's names in the place of the test's."""
        policy = dict(options)
        for part in ("canary", "shadow"):
            if part in policy:
                policy[part] = {**policy[part], "target": self.name(policy[part]["target"])}
        if "fallbacks" in policy:
            policy["fallbacks"] = {cause: list(map(self.name, names)) for cause, names in policy["fallbacks"].items()}
        return policy


def named_in(options: Mapping[str, Any]) -> list[str]:
    """The targets in a policy."""
    beside = [options[part]["target"] for part in ("canary", "shadow") if part in options]
    return beside + [name for names in options.get("fallbacks", {}).values() for name in names]


async def in_database(work: Any) -> Any:
    return await database_threads.run(lambda _: work(), SECONDS)
