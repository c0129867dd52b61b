"""One running product for all journeys, and callers of it."""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from orchestrator_site.tests.journeys.ledger_rows import LedgerRows
from orchestrator_site.tests.journeys.peers import node
from orchestrator_site.tests.journeys.product import Product
from orchestrator_site.tests.own_database import own_database

MODELS = ["voice/demo-chat", "llmock/gpt-4o", "aimock/gpt-4o"]


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    """Started once; its logs are shown when it does not start."""
    folder = Path(tempfile.mkdtemp(prefix="journeys-"))
    with own_database("journeys") as addresses:
        product = Product(folder, addresses)
        try:
            product.start()
            yield product
        except BaseException:
            sys.stdout.write(product.logs())
            raise
        finally:
            product.stop()
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def ledger(product: Product) -> Iterator[LedgerRows]:
    with contextlib.closing(product.ledger()) as rows:
        yield rows


@pytest.fixture(scope="session")
def acme_key(product: Product) -> str:
    return product.key_of("acme")


@pytest.fixture
def client(product: Product, acme_key: str) -> Iterator[openai.OpenAI]:
    """The official SDK as it comes, but for retries: a test that wants them says so."""
    with openai.OpenAI(base_url=product.base_url, api_key=acme_key, max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture
async def async_client(product: Product, acme_key: str):
    async with openai.AsyncOpenAI(base_url=product.base_url, api_key=acme_key, max_retries=0, timeout=30) as client:
        yield client


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    """A model of the demo provider, and one of each independent mock."""
    if request.param.startswith("aimock") and node() is None:
        pytest.skip("aimock is not installed: `make test` does that where Node is")
    return str(request.param)
