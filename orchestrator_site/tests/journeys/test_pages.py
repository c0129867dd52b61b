"""The pages in a real browser: what people see, on a desk, on a phone, in the dark, by keyboard."""

import openai
import pytest

from orchestrator_site.tests.journeys.browser import AXE, DARK, DESKTOP, PHONE, chromium, running_browser, visiting
from orchestrator_site.tests.journeys.test_sdk import HELLO

pytestmark = pytest.mark.skipif(chromium() is None, reason="there is no Chromium on this machine")
SCREENS = {"desktop": DESKTOP, "phone": PHONE, "dark": DARK}


@pytest.fixture(scope="module")
def browser():
    with running_browser(chromium() or "") as browser:
        yield browser


@pytest.fixture(params=SCREENS)
def visit(request, browser, product):
    with visiting(browser, product.ports[0], **SCREENS[request.param]) as visit:
        yield visit
        assert visit.wrong == []


@pytest.fixture
def desk(browser, product):
    with visiting(browser, product.ports[0]) as visit:
        yield visit
        assert visit.wrong == []


@pytest.fixture(scope="module")
def acme(product):
    return next(tenant for tenant in product.demo["tenants"] if tenant["slug"] == "acme")


def check(visit):
    if AXE.exists():
        assert visit.barriers() == []
    assert not visit.overflows()


def test_axe_is_there_where_node_is():
    """`make test` installs it with the mock peers."""
    assert AXE.exists() or not AXE.parents[1].exists()


def test_the_landing_page(visit):
    assert visit.go("/") == 200
    assert visit.page.get_by_role("heading", level=1).inner_text() == "One door to every model"
    assert f"localhost:{visit.port}/v1/chat/completions" in visit.page.get_by_text("curl").inner_text()
    check(visit)


def test_a_page_that_is_not_there(visit):
    assert visit.go("/nothing") == 404
    assert visit.page.get_by_role("link", name="Go to the start page").is_visible()
    check(visit)


def test_a_member_signs_in_and_sees_what_was_used(visit, product, ledger, acme):
    with openai.OpenAI(base_url=product.base_url, api_key=acme["api_key"], max_retries=0) as client:
        client.chat.completions.create(model="voice/demo-mini", messages=HELLO)
    ledger.wait_settled()
    owner = acme["users"][0]
    visit.go("/", acme["host"])
    check(visit)
    visit.page.get_by_role("main").get_by_role("link", name="Sign in").click()
    check(visit)
    visit.sign_in(acme["host"], owner["email"], "wrong-password")
    assert "not correct" in visit.page.get_by_role("alert").inner_text()
    check(visit)
    visit.sign_in(acme["host"], owner["email"], owner["password"])
    assert visit.page.get_by_role("heading", level=1).inner_text() == acme["name"]
    total = visit.page.get_by_role("row", name="Total").get_by_role("cell").first.inner_text()
    assert int(total.replace(",", "")) >= 1
    assert visit.page.get_by_role("rowheader", name="voice/demo-mini").is_visible()
    visit.page.get_by_text("With the OpenAI SDK for Python").click()
    assert visit.page.get_by_text("from openai import OpenAI").is_visible()
    check(visit)
    visit.go("/accounts/password/change/", acme["host"])
    check(visit)
    visit.page.get_by_role("link", name="Sign out").click()
    check(visit)
    visit.page.get_by_role("button", name="Sign out").click()
    assert visit.page.get_by_role("main").get_by_role("link", name="Sign in").is_visible()


def test_a_stranger_finds_nothing(desk, product, acme):
    globex = next(tenant for tenant in product.demo["tenants"] if tenant["slug"] == "globex")
    charlie = globex["users"][0]
    desk.sign_in(acme["host"], charlie["email"], charlie["password"])
    assert desk.page.get_by_role("heading", level=1).inner_text() == "There is nothing here"
    assert desk.go("/", acme["host"]) == 404


def test_a_session_ends_at_its_host(desk, product, acme):
    owner = acme["users"][0]
    desk.sign_in(acme["host"], owner["email"], owner["password"])
    desk.go("/", "globex.localhost")
    assert desk.page.get_by_role("main").get_by_role("link", name="Sign in").is_visible()


def test_the_keyboard_alone_is_enough(desk, acme):
    desk.go("/accounts/login/", acme["host"])
    desk.page.keyboard.press("Tab")
    skip = desk.page.get_by_role("link", name="Skip to the content")
    assert skip.evaluate("element => element === document.activeElement")
    assert skip.bounding_box()["x"] >= 0
    owner = acme["users"][0]
    for _ in range(20):
        desk.page.keyboard.press("Tab")
        if desk.page.evaluate("document.activeElement.id") == "id_login":
            break
    outline = desk.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    desk.page.keyboard.type(owner["email"])
    desk.page.keyboard.press("Tab")
    desk.page.keyboard.type(owner["password"])
    desk.page.keyboard.press("Enter")
    desk.page.get_by_role("heading", name="Usage in the last seven days").wait_for()


def test_the_operator_signs_in_by_e_mail_and_the_policy_holds_in_the_admin(desk, product):
    operator = product.demo["operator"]
    desk.go("/admin/")
    check(desk)
    desk.page.get_by_label("Email").fill(operator["email"])
    desk.page.get_by_label("Password").fill(operator["password"])
    desk.page.get_by_role("button", name="Log in").click()
    assert "Administration" in desk.page.title()
    for name in ("Tenants", "Users", "Api keys", "Providers", "Settlements"):
        desk.page.get_by_role("main").get_by_role("link", name=name, exact=True).last.click()
        desk.page.get_by_role("heading", name="Select").or_(desk.page.get_by_text(" to view")).first.wait_for()
        desk.go("/admin/")


def test_a_tenants_owner_is_no_operator(desk, acme):
    owner = acme["users"][0]
    desk.go("/admin/")
    desk.page.get_by_label("Email").fill(owner["email"])
    desk.page.get_by_label("Password").fill(owner["password"])
    desk.page.get_by_role("button", name="Log in").click()
    assert "Please enter the correct" in desk.page.get_by_role("main").inner_text()
    check(desk)


def test_swagger_calls_the_api(desk, acme):
    desk.go("/docs")
    desk.page.locator(".opblock").first.wait_for()
    assert desk.page.locator(".opblock").count() >= 9
    desk.page.get_by_role("button", name="Authorize").first.click()
    desk.page.locator("input[aria-label='auth-bearer-value']").first.fill(acme["api_key"])
    desk.page.locator(".auth-container").first.get_by_role("button", name="Apply credentials").click()
    desk.page.get_by_role("button", name="Close").first.click()
    models = desk.page.locator("#operations-Models-listModels")
    models.locator(".opblock-summary").click()
    models.get_by_role("button", name="Try it out").click()
    models.get_by_role("button", name="Execute").click()
    models.get_by_text("voice/demo-mini").first.wait_for()


def test_redoc_describes_the_api(desk):
    desk.go("/redoc")
    desk.page.get_by_role("heading", name="Chat completion").first.wait_for()
