"""Every house rule fires on a sample that breaks it, stays silent on one that keeps it, and the checkout keeps all."""

import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator_site.house_rules import boundaries, comments, foreign_keys, names, pages, registry, sizes, wording
from orchestrator_site.house_rules.source import find_sources, source_of

ROOT = Path(__file__).resolve().parents[2]
LONG_FUNCTION = "def long():\n" + "    step()\n" * 50

BROKEN = [
    (sizes.short_file, "gateway/long.py", "x = 1\n" * 401),
    (sizes.short_functions, "gateway/long.py", LONG_FUNCTION),
    (sizes.short_functions, "gateway/long.py", "class A:\n    async " + LONG_FUNCTION.replace("\n", "\n    ").strip()),
    (names.module_names, "tenants/utils.py", ""),
    (names.module_names, "tenants/helpers/keys.py", ""),
    (names.class_names, "gateway/a.py", "class KeyManager: ..."),
    (names.class_names, "gateway/a.py", "class RequestHandler(Base): ..."),
    (names.class_names, "gateway/a.py", "class Helper: ..."),
    (names.function_names, "gateway/a.py", "def process_chunk(chunk): ..."),
    (names.variable_names, "gateway/a.py", "data = read()"),
    (names.variable_names, "gateway/a.py", "for data in rows: ..."),
    (names.variable_names, "gateway/a.py", "def parse(*, data): ..."),
    (names.variable_names, "gateway/a.py", "class Row:\n    data: str"),
    (boundaries.one_door, "billing/tasks.py", "connection.set_schema(name)"),
    (boundaries.one_door, "billing/tasks.py", "connection.set_tenant(tenant)"),
    (boundaries.one_door, "console/views.py", "switch = connection.set_schema_to_public"),
    (boundaries.one_door, "console/views.py", "from django_tenants.utils import schema_context"),
    (boundaries.one_door, "console/views.py", "with utils.tenant_context(tenant): ..."),
    (boundaries.edges_enqueue, "billing/actions/close.py", "close_month.delay()"),
    (boundaries.edges_enqueue, "billing/reports.py", "app.send_task('x')"),
    (boundaries.edges_enqueue, "tenants/actions.py", "rebuild.apply_async(args=[1])"),
    (boundaries.one_client, "gateway/failover.py", "import aiohttp\nsession = aiohttp.ClientSession()"),
    (boundaries.one_client, "gateway/failover.py", "from aiohttp import ClientSession"),
    (boundaries.one_client, "gateway/failover.py", "await loop.create_connection(Wire, host, port)"),
    (boundaries.one_client, "billing/webhooks.py", "import requests"),
    (boundaries.one_client, "billing/webhooks.py", "from httpx2 import AsyncClient"),
    (boundaries.no_print, "gateway/pipeline.py", "print('here')"),
    (foreign_keys.keys_along_the_line, "tenants/models.py", "x = models.ForeignKey('billing.Budget', CASCADE)"),
    (foreign_keys.keys_along_the_line, "tenants/models.py", "x = models.ForeignKey(to='providers.Provider')"),
    (foreign_keys.keys_along_the_line, "billing/models.py", "from chat.models import B\nx = OneToOneField(B, CASCADE)"),
    (foreign_keys.keys_along_the_line, "providers/models.py", "x = ForeignKey('tenants.Tenant', CASCADE)"),
    (foreign_keys.keys_along_the_line, "chat/models.py", "x = ForeignKey(settings.AUTH_USER_MODEL, CASCADE)"),
    (foreign_keys.keys_along_the_line, "chat/models.py", "x = ManyToManyField(get_user_model())"),
    (comments.named_exemptions, "gateway/a.py", "x = y  # type: ignore"),
    (comments.named_exemptions, "gateway/a.py", "x = y  # noqa"),
    (comments.named_exemptions, "gateway/a.py", "# ruff: noqa\n"),
    (comments.named_exemptions, "gateway/a.py", "# mypy: ignore-errors\n"),
    (wording.no_local_traces, "docs/a.md", "look into /home/alice/orchestrator"),
    (wording.no_local_traces, "requirements.txt", "--index-url https://example.org/simple"),
    (wording.no_local_traces, "package-lock.json", '"resolved": "https://registry.example.org/a.tgz"'),
    (pages.clean_templates, "templates/a.html", "<script>run()</script>"),
    (pages.clean_templates, "templates/a.html", "<style>b { }</style>"),
    (pages.clean_templates, "templates/a.html", '<p style="color: red">'),
    (pages.clean_templates, "templates/a.html", '<a onclick="go()">'),
    (pages.clean_templates, "templates/a.html", '<a hx-on:click="go()">'),
    (pages.clean_templates, "templates/a.html", '<a href="javascript:go()">'),
    (pages.clean_templates, "templates/a.html", '<script src="//cdn.example.org/a.js"></script>'),
    (pages.clean_templates, "templates/a.html", '<link rel="stylesheet" href="https://example.org/a.css">'),
    (pages.clean_templates, "templates/a.html", '{% if x %}<form action="https://example.org/">{% endif %}'),
    (pages.clean_static, "static/css/a.css", "@import 'https://example.org/a.css';"),
    (pages.clean_static, "static/js/a.js", 'import a from "https://example.org/a.js";'),
    (pages.clean_static, "static/js/a.js", "eval(text)"),
]

KEPT = [
    (sizes.short_file, "gateway/long.py", "x = 1\n" * 399),
    (sizes.short_file, "tenants/migrations/0001_initial.py", "x = 1\n" * 900),
    (sizes.short_functions, "gateway/long.py", LONG_FUNCTION.removesuffix("    step()\n")),
    (names.class_names, "tenants/models.py", "class UserManager(BaseUserManager['User']): ..."),
    (names.class_names, "common/logging.py", "class RingHandler(logging.Handler): ..."),
    (names.function_names, "tenants/middleware.py", "def process_view(self, request): ..."),
    (names.variable_names, "gateway/a.py", "send(data=body)\nbody = request.data"),
    (names.variable_names, "providers/wire/a.py", "def feed(self, data: bytes): ..."),
    (names.variable_names, "providers/wire/a.py", "class Models(msgspec.Struct, frozen=True):\n    data: list[str]"),
    (boundaries.one_door, "tenants/door.py", "connection.set_schema(name)"),
    (boundaries.one_door, "tenants/tests/test_guards.py", "connection.set_schema(name)"),
    (boundaries.edges_enqueue, "billing/tasks.py", "close_month.delay()"),
    (boundaries.edges_enqueue, "billing/management/commands/close.py", "close_month.delay()"),
    (boundaries.edges_enqueue, "tenants/celery_task.py", "super().apply_async(args)"),
    (boundaries.one_client, "providers/client.py", "import aiohttp\nsession = aiohttp.ClientSession()"),
    (boundaries.one_client, "orchestrator_site/demo/server.py", "from aiohttp import web"),
    (boundaries.one_client, "common/redis.py", "await loop.create_connection(Wire, host, port)"),
    (boundaries.no_print, "tenants/management/commands/create_tenant.py", "print('made')"),
    (boundaries.no_print, "orchestrator_site/serve.py", 'print("no")\nif __name__ == "__main__":\n    main()'),
    (foreign_keys.keys_along_the_line, "chat/models.py", "x = ForeignKey('chat.Message', CASCADE)"),
    (foreign_keys.keys_along_the_line, "chat/models.py", "x = ForeignKey('self', CASCADE)\ny = ForeignKey(Message)"),
    (foreign_keys.keys_along_the_line, "billing/models.py", "x = ForeignKey('tenants.Tenant', CASCADE)"),
    (foreign_keys.keys_along_the_line, "billing/models.py", "x = ForeignKey('admin.LogEntry', CASCADE)"),
    (comments.named_exemptions, "gateway/a.py", "x = y  # type: ignore[arg-type]\nz = 1  # noqa: S105"),
    (comments.named_exemptions, "gateway/a.py", 'x = "# noqa"'),
    (wording.no_local_traces, "docs/a.md", "POST /v1/home/alice and /home/app/bin"),
    (pages.clean_templates, "templates/a.html", '<a href="https://example.org/">out</a><script src="/a.js"></script>'),
    (pages.clean_templates, "templates/a.html", '<script type="application/json">{"a": 1}</script>'),
    (pages.clean_templates, "templates/a.html", "{# <b>style</b> #}<img src=\"{% static 'a.png' %}\">"),
    (pages.clean_static, "static/css/a.css", "a { background: url('/static/a.png'); }"),
    (pages.clean_static, "static/js/a.js", 'import a from "./a.js"; // see https://example.org'),
]


def title(sample):
    rule, _, text = sample
    return f"{rule.__name__}: {text[:40]!r}"


@pytest.mark.parametrize("sample", BROKEN, ids=title)
def test_a_broken_rule_is_told_with_its_place(sample):
    rule, path, text = sample
    found = list(rule(source_of(path, text)))
    assert found
    assert {each.path for each in found} == {path}
    assert all(1 <= each.line <= text.count("\n") + 1 for each in found)


@pytest.mark.parametrize("sample", KEPT, ids=title)
def test_what_keeps_the_rule_passes(sample):
    rule, path, text = sample
    assert list(rule(source_of(path, text))) == []


def test_every_rule_has_a_sample_that_breaks_it():
    assert {rule for rule, _, _ in BROKEN} == set(registry.RULES)


def test_the_whole_checkout_keeps_the_rules():
    assert [str(each) for each in registry.violations(find_sources(ROOT))] == []


def test_the_command_fails_on_a_broken_rule_and_names_it(tmp_path):
    (tmp_path / "gateway").mkdir()
    (tmp_path / "gateway" / "utils.py").write_text("def a(): ...\n\n\ndef b(): ...\n")
    command = [sys.executable, "-m", "orchestrator_site.house_rules", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == 1
    assert "gateway/utils.py:1: a module called utils" in ran.stdout
    assert "2 functions, median 1 lines, p90 1; 1 rules broken" in ran.stdout


def test_generated_and_installed_folders_are_not_read(tmp_path):
    for place in (".venv", "node_modules/a", "var", "static/vendor", "gateway/__pycache__"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "utils.py").write_text("")
    (tmp_path / ".ci").mkdir()
    (tmp_path / ".ci" / "run").write_text("make check\n")
    assert [source.path for source in find_sources(tmp_path)] == [".ci/run"]
