"""PostgreSQL and Valkey for the tests: one pair for every test run of this checkout, left running between runs."""

from pathlib import Path

from orchestrator_site.embedded.privileges import state_directory
from orchestrator_site.embedded.services import Addresses, EmbeddedServices

CHECKOUT = Path(__file__).resolve().parents[2]


def services_for_tests() -> EmbeddedServices:
    return EmbeddedServices(state_directory(CHECKOUT) / "test", durable=False)


def ensure_test_services() -> Addresses:
    """Starts the pair or reuses the running one; safe from several processes at once."""
    return services_for_tests().start()
