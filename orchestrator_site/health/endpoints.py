"""/live, /ready, /health and /info.

/live    200 while the process runs its event loop
/ready   200 when it can take requests: every part works and it is not about to stop; else 503 with the reasons
/health  the parts with their latencies; 503 when one of them does not work. And how the platform's providers were when
         last looked at: one that fails is no reason to take this process away
/info    name, version, commit, environment, uptime, feature flags
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orchestrator_site
from orchestrator_site.asgi_messages import Receive, Scope, Send, answer_json
from orchestrator_site.commit import commit
from orchestrator_site.draining import is_draining
from orchestrator_site.health.checks import Checkup, Part
from orchestrator_site.observation import ROUTE
from orchestrator_site.settings.environment import Environment

METHODS: Final = ("GET", "HEAD")
ALLOW: Final = ((b"allow", b"GET, HEAD"),)

ProviderHealths = Callable[[], Awaitable[Mapping[str, Any]]]
Report = tuple[int, Mapping[str, Any]]


class HealthEndpoints:
    """`checkup` gives None until the application is open. `providers`: by name, in a shape that JSON has."""

    def __init__(
        self, environment: Environment, checkup: Callable[[], Checkup | None], providers: ProviderHealths
    ) -> None:
        self._environment = environment
        self._checkup = checkup
        self._providers = providers
        self._began = time.monotonic()
        self._reports: dict[str, Callable[[], Awaitable[Report]]] = {
            "/live": self._live,
            "/ready": self._ready,
            "/health": self._health,
            "/info": self._info,
        }

    def handles(self, path: str) -> bool:
        return path in self._reports

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ROUTE] = scope["path"]
        if scope["method"] not in METHODS:
            await answer_json(send, 405, {"status": "method not allowed"}, ALLOW)
            return
        status, report = await self._reports[scope["path"]]()
        await answer_json(send, status, report)

    async def _live(self) -> Report:
        return 200, {"status": "live"}

    async def _ready(self) -> Report:
        reasons = [] if not is_draining() else ["draining"]
        reasons += [f"{part.name}: {part.reason}" for part in await self._parts() if not part.works]
        return (503, {"status": "not ready", "reasons": reasons}) if reasons else (200, {"status": "ready"})

    async def _health(self) -> Report:
        parts = await self._parts()
        works = all(part.works for part in parts)
        return (200 if works else 503), {
            "status": "ok" if works else "degraded",
            "draining": is_draining(),
            "parts": {part.name: described(part) for part in parts},
            "providers": await self._providers(),
        }

    async def _info(self) -> Report:
        return 200, {
            "name": "orchestrator",
            "version": orchestrator_site.__version__,
            "commit": commit(),
            "environment": self._environment.orchestrator_env,
            "uptime_seconds": round(time.monotonic() - self._began, 1),
            "feature_flags": sorted(self._environment.feature_flags),
        }

    async def _parts(self) -> tuple[Part, ...]:
        checkup = self._checkup()
        return (Part("gateway", "not open", 0.0),) if checkup is None else await checkup.parts()


def described(part: Part) -> dict[str, Any]:
    status = {"status": "ok"} if part.works else {"status": "failing", "reason": part.reason}
    return {**status, "latency_ms": part.milliseconds}
