"""Adds to the document what the gateway edge and the process itself serve, before Django."""

from pathlib import Path
from typing import Any, Final

import yaml

from billing.idempotency.claims import ORIGINAL, REPLAYED
from gateway.edge.completions import Completions
from gateway.edge.routes import EXPLAINED, ROUTES

FOLDER: Final = Path(__file__).parent
FILES: Final = ("shared.yaml", "completions.yaml", "dialects.yaml", "routing.yaml", "models.yaml", "health.yaml")
# Paths whose query or body names what may not be there, and those that may find another at the same work.
NAMING: Final = frozenset({"/v1/models/compare", "/v1/models/refresh"})
ONE_AT_A_TIME: Final = frozenset({"/v1/models/refresh"})

# Of an answer that was given before.
REPEATED: Final = {REPLAYED: "Replayed", ORIGINAL: "OriginalRequestId"}
# Of the components below: what a request's headers may ask for, and what the answer's tell.
WISHES: Final = ("Deadlines", "Session", "Tags", "Priority", "Details", "CacheControl")
TOLD: Final = {
    "x-orchestrator-model": "AnsweredBy",
    "x-orchestrator-route": "RouteTaken",
    "x-orchestrator-attempts": "Attempts",
    "x-orchestrator-cache": "Cache",
    "x-orchestrator-dropped-params": "DroppedParams",
    "x-orchestrator-provider": "Provider",
    "x-orchestrator-cost-usd": "CostUsd",
    "x-orchestrator-cost-nano": "CostNano",
    "x-orchestrator-charge-usd": "ChargeUsd",
    "x-orchestrator-charge-nano": "ChargeNano",
}


def document_edge(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A drf-spectacular postprocessing hook."""
    for name in FILES:
        merge(result, yaml.safe_load((FOLDER / name).read_text(encoding="utf-8")))
    give_errors(result)
    give_idempotency(result)
    give_wishes(result)
    return result


def merge(target: dict[str, Any], addition: dict[str, Any]) -> None:
    """`addition` into `target`, key by key; lists are joined."""
    for name, value in addition.items():
        known = target.get(name)
        if isinstance(known, dict) and isinstance(value, dict):
            merge(known, value)
        elif isinstance(known, list) and isinstance(value, list):
            known += value
        else:
            target[name] = value


# What has names that can be taken.
CHANGEABLE: Final = {"Providers", "Config"}


def takes_query(operation: dict[str, Any]) -> bool:
    return any(parameter["in"] == "query" for parameter in operation.get("parameters", ()))


def refusals(path: str, operation: dict[str, Any]) -> list[str]:
    bad = ["400"] if takes_query(operation) else []
    unfit = ["400", "413", "415"] if "requestBody" in operation else []
    taken = ["409"] if unfit and (CHANGEABLE & set(operation["tags"]) or path in ONE_AT_A_TIME) else []
    missing = ["404"] if "{" in path or path in NAMING else []
    return [*bad, *unfit, "401", "403", *missing, "405", *taken, "503"]


def give_errors(result: dict[str, Any]) -> None:
    """What DRF's views do not say of themselves: how they are signed in to, and the refusals that each can meet."""
    for path, item in result["paths"].items():
        for operation in item.values() if path.startswith("/v1/") else ():
            operation["tags"] = [tag.capitalize() for tag in operation["tags"]]
            operation["security"] = [{"apiKey": []}, {"apiKeyHeader": []}]
            for status in refusals(path, operation):
                operation["responses"].setdefault(status, {"$ref": f"#/components/responses/Error{status}"})


def give_idempotency(result: dict[str, Any]) -> None:
    """The header that every POST may have, and what an answer to one that was sent again tells."""
    told = {name: {"$ref": f"#/components/headers/{header}"} for name, header in REPEATED.items()}
    for path, item in result["paths"].items():
        if path.startswith("/v1/") and (operation := item.get("post")):
            parameters = operation.setdefault("parameters", [])
            parameters.append({"$ref": "#/components/parameters/IdempotencyKey"})
            operation["responses"].setdefault("409", {"$ref": "#/components/responses/Error409"})
            for status, response in operation["responses"].items():
                if status.startswith("2"):
                    response.setdefault("headers", {}).update(told)


def give_wishes(result: dict[str, Any]) -> None:
    """The headers that every request for what models make may have, and its answer."""
    asked = [{"$ref": f"#/components/parameters/{name}"} for name in WISHES]
    told = {name: {"$ref": f"#/components/headers/{header}"} for name, header in TOLD.items()}
    for template, route in ROUTES.items():
        if isinstance(route.endpoint, Completions):
            operation = result["paths"][template]["post"]
            operation["parameters"] = [*operation.get("parameters", ()), *asked]
            operation["responses"]["200"]["headers"] |= told
    result["paths"][EXPLAINED.template]["post"]["parameters"] += asked[:3]
