"""What a self-hoster asks of every provider: entry points of the group `orchestrator.config_validators`.

    [project.entry-points."orchestrator.config_validators"]
    acme = "acme_policy:check"

Each is called with a provider as a document (its fields by name, never a secret) before it is saved, and raises
`common.errors.InvalidRequest` to refuse it. They are loaded once for a process; one that cannot be loaded is logged and
passed over. One that fails when it is called refuses, since it may be what keeps a rule.
"""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from common.errors import InvalidRequest, OrchestratorError
from providers.wire.plugins import installed

GROUP: Final = "orchestrator.config_validators"

Validator = Callable[[Mapping[str, Any]], None]

logger = logging.getLogger(__name__)


@cache
def config_validators() -> Mapping[str, Validator]:
    """By name. Never raises."""
    return {name: loaded for name, loaded in installed(GROUP) if callable(loaded)}


def check_configuration(document: Mapping[str, Any]) -> None:
    """Raises InvalidRequest."""
    for name, validator in config_validators().items():
        try:
            validator(document)
        except OrchestratorError as refused:
            raise InvalidRequest(refused.message, param=refused.param) from None
        except Exception as failure:
            logger.exception("config validator failed", extra={"validator": name})
            raise InvalidRequest(
                f"The validator '{name}' could not tell whether this is allowed; the operator's log says why."
            ) from failure
