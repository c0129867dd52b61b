"""A real Chromium that notes whatever a page does that it should not."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

AXE = Path(__file__).resolve().parents[1] / "peers" / "node_modules" / "axe-core" / "axe.min.js"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-gpu",
    "--disable-sync",
    "--no-first-run",
]
DESKTOP: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DARK: dict[str, Any] = {**DESKTOP, "color_scheme": "dark"}


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@contextmanager
def running_browser(program: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass(slots=True)
class Visit:
    """One visitor with cookies of their own. `wrong` holds errors, refusals of the policy, and foreign requests."""

    page: Page
    port: int
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> "Visit":
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", lambda request: self._check(request.url))
        return self

    def go(self, path: str, host: str = "localhost") -> int:
        """The status of a page."""
        response = self.page.goto(f"http://{host}:{self.port}{path}")
        return 0 if response is None else response.status

    def sign_in(self, host: str, email: str, password: str) -> None:
        self.go("/accounts/login/", host)
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Sign in").click()

    def barriers(self) -> list[str]:
        """What axe finds against WCAG 2.2 AA and its best practices."""
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("async () => (await axe.run()).violations")
        return [f"{each['id']}: {json.dumps([node['html'] for node in each['nodes']])[:400]}" for each in found]

    def overflows(self) -> bool:
        """Whether the page is wider than the screen."""
        return bool(self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))

    def _note(self, kind: str, text: str) -> None:
        # A page that answers 404 is an error to the console, and what was wanted.
        if kind in ("error", "warning") and "status of 404" not in text:
            self.wrong.append(f"{kind}: {text}")

    def _check(self, url: str) -> None:
        parts = urlsplit(url)
        ours = parts.port == self.port and (parts.hostname or "").endswith("localhost")
        if parts.scheme not in ("data", "blob") and not ours:
            self.wrong.append(f"asked {url}")


@contextmanager
def visiting(browser: Browser, port: int, **options: Any) -> Iterator[Visit]:
    context = browser.new_context(**(options or DESKTOP))
    try:
        yield Visit(context.new_page(), port).watch()
    finally:
        context.close()
