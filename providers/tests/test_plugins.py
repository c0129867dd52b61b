"""Wires and rules that are installed beside the platform, by the example that shows how."""

import sys
import tomllib
from pathlib import Path

import pytest

from common.errors import InvalidRequest, UpstreamGarbled
from providers.actions.providers import change_provider, create_provider
from providers.config_validators import check_configuration, config_validators
from providers.models.provider import wire_names
from providers.wire.neutral import Message, Prompt, Text, Tool
from providers.wire.plugins import checked, entry_point_wires
from providers.wire.shapes import Target, Usage

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "wire-plugin"
TARGET = Target(
    provider="acme-1",
    provider_scope="tenant",
    wire="acme",
    base_url="https://acme.test",
    model="a1",
    headers=(),
    price=None,
)


def forget():
    entry_point_wires.cache_clear()
    config_validators.cache_clear()


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Puts the example on the path as an installer would; more entry points can be added to its own."""

    def install(**more):
        project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
        lines = []
        for group, entries in project["entry-points"].items():
            added = more.get(group.removeprefix("orchestrator."), {})
            lines += [f"[{group}]", *(f"{name} = {value}" for name, value in {**entries, **added}.items())]
        described = tmp_path / "acme_orchestrator-1.0.0.dist-info"
        described.mkdir()
        (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0.0\n")
        (described / "entry_points.txt").write_text("\n".join(lines))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.syspath_prepend(str(EXAMPLE))
        forget()

    yield install
    sys.modules.pop("acme_orchestrator", None)
    monkeypatch.undo()
    forget()


def test_without_packages_there_are_the_platforms_wires_alone():
    forget()
    assert entry_point_wires() == {}
    assert wire_names() == ("openai", "anthropic", "gemini", "ollama", "custom")


def test_the_example_is_a_wire_that_speaks(installed):
    installed()
    wire = entry_point_wires()["acme"]
    assert "acme" in wire_names()
    prompt = Prompt(messages=(Message(role="user", parts=(Text(text="Hello"),)),))
    built = wire.build_prompt(prompt, TARGET, stream=True)
    assert (built.url, built.body, built.stream) == (
        "https://acme.test/answers",
        b'{"model": "a1", "text": "Hello"}',
        False,
    )
    answer = wire.read_answer(b'{"answer": "Hi", "tokens": [1, 2]}')
    assert answer.usage == Usage(input_tokens=1, output_tokens=2)
    assert answer.choices[0].parts == (Text(text="Hi"),)
    for garbled in (b"", b"[]", b'{"answer": "Hi"}', b'{"answer": "Hi", "tokens": "x"}'):
        with pytest.raises(UpstreamGarbled):
            wire.read_answer(garbled)
    tools = Prompt(messages=(), tools=(Tool(name="f"),))
    with pytest.raises(InvalidRequest, match="tools"):
        wire.build_prompt(tools, TARGET, stream=False)


def test_what_cannot_be_loaded_or_is_no_wire_is_passed_over(installed, caplog):
    installed(
        wires={
            "gone": "no_such_module:Wire",
            "unnamed": "acme_orchestrator:Missing",
            "openai": "acme_orchestrator:AcmeWire",
            "other": "acme_orchestrator:AcmeWire",
            "check": "acme_orchestrator:check",
        },
        config_validators={"broken": "no_such_module:check"},
    )
    assert set(entry_point_wires()) == {"acme"}
    assert set(config_validators()) == {"acme"}
    assert caplog.text.count("passed over") == 6


def test_a_wire_says_what_it_lacks():
    with pytest.raises(TypeError, match="build_request, parse_response"):
        checked("bare", object())


@pytest.mark.django_db(transaction=True)
def test_a_rule_is_asked_before_a_provider_is_saved(installed, make_tenant):
    installed()
    acme = make_tenant("acme").tenant
    with pytest.raises(InvalidRequest) as refused:
        create_provider(owner=acme, name="mine", wire="acme", base_url="http://127.0.0.1:9")
    assert refused.value.param == "name"
    assert "begins with acme-" in refused.value.message
    provider_id = create_provider(owner=acme, name="acme-mine", wire="acme", base_url="http://127.0.0.1:9")
    with pytest.raises(InvalidRequest):
        change_provider(owner=acme, provider_id=provider_id, name="mine")


def test_a_rule_that_fails_refuses_and_says_whose_it_is(monkeypatch, caplog):
    def fail(document):
        raise ZeroDivisionError(document["name"])

    monkeypatch.setattr("providers.config_validators.config_validators", lambda: {"strict": fail})
    with pytest.raises(InvalidRequest, match="'strict'"):
        check_configuration({"name": "p"})
    assert "config validator failed" in caplog.text
