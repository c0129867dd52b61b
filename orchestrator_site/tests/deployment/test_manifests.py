"""Kubernetes runs what Compose runs, as carefully; Prometheus and Grafana ask for metrics that exist."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY

from gateway import metrics
from orchestrator_site.settings.environment import Environment
from orchestrator_site.tests.deployment.compose_file import ROOT, read_services
from orchestrator_site.tests.deployment.test_compose_rules import SECRETS

DEPLOY = ROOT / "deploy"
SERVICES = read_services(SECRETS)
WORKLOADS = {
    document["metadata"]["name"]: document
    for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
    for document in yaml.safe_load_all(path.read_text())
    if document["kind"] in ("Deployment", "Job")
}
KUSTOMIZATION = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text())
FUNCTIONS = {"rate", "sum", "max", "histogram_quantile", "by", "le", "humanizeDuration", "humanizePercentage"}


def pod(name):
    return WORKLOADS[name]["spec"]["template"]["spec"]


def test_every_file_is_listed():
    files = {path.name for path in (DEPLOY / "kubernetes").glob("*.yaml")} - {"kustomization.yaml"}
    assert set(KUSTOMIZATION["resources"]) == files


@pytest.mark.parametrize("name", ["migrate", "web", "worker", "beat"])
class TestEveryWorkload:
    def test_runs_what_compose_runs(self, name):
        assert pod(name)["containers"][0]["command"] == SERVICES[name].command

    def test_may_do_nothing_that_it_need_not(self, name):
        context, container = pod(name)["securityContext"], pod(name)["containers"][0]
        assert context["runAsNonRoot"] is True
        assert f"{context['runAsUser']}:{context['runAsGroup']}" == SERVICES[name].settings["user"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]
        assert container["resources"]["limits"]["memory"]

    def test_is_asked_for_its_health_unless_it_ends(self, name):
        assert ("livenessProbe" in pod(name)["containers"][0]) == (name != "migrate")


def test_the_configuration_is_one_the_platform_accepts():
    given = dict(line.split("=", 1) for line in KUSTOMIZATION["configMapGenerator"][0]["literals"])
    environment = Environment.read({**SERVICES["web"].environment, **given})
    patience = environment.drain_seconds + environment.graceful_shutdown_seconds
    assert pod("web")["terminationGracePeriodSeconds"] >= patience + 10


def test_a_process_about_to_stop_gets_no_more_requests():
    container = pod("web")["containers"][0]
    assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
    # A database that is away is no reason to kill web processes.
    assert container["livenessProbe"]["httpGet"]["path"] == "/live"


def known_metrics():
    assert metrics.REQUESTS
    families = list(REGISTRY.collect())
    names = {family.name for family in families}
    return names | {f"{name}{ending}" for name in names for ending in ("_total", "_bucket", "_count", "_sum")}


def expressions():
    alerts = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())
    yield from (rule["expr"] for group in alerts["groups"] for rule in group["rules"])
    board = json.loads((DEPLOY / "grafana" / "orchestrator.json").read_text())
    yield from (target["expr"] for panel in board["panels"] for target in panel["targets"])


@pytest.mark.parametrize("expression", list(expressions()))
def test_metrics_that_are_asked_for_exist(expression):
    bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|by \([^)]*\)", "", expression)
    named = set(re.findall(r"[a-z_]{4,}", bare)) - FUNCTIONS
    assert named
    assert named - known_metrics() == set()


def test_prometheus_reads_the_rules_beside_it():
    read = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    assert [Path(name).name for name in read["rule_files"]] == ["alerts.yml"]
    assert read["scrape_configs"][0]["metrics_path"] == "/metrics"
