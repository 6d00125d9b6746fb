"""Checks the manifests against the Kubernetes schemas, the restricted pod security standard and the settings."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from quanyu.runtime.settings import SERVICES, load_settings

K8S = Path(__file__).parents[2] / "k8s"
VERSION = "1.31"


def base_documents() -> list[dict[str, Any]]:
    names = yaml.safe_load((K8S / "base/kustomization.yaml").read_text())["resources"]
    return [document for name in names for document in yaml.safe_load_all((K8S / "base" / name).read_text())]


def render(overlay: str) -> list[dict[str, Any]]:
    if not shutil.which("kubectl"):
        pytest.skip("kubectl is not installed: overlays cannot be rendered")
    command = ["kubectl", "kustomize", str(K8S / "overlays" / overlay)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return list(yaml.safe_load_all(text))


def pods(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [d["spec"]["template"]["spec"] for d in documents if d["kind"] == "StatefulSet"]


@pytest.mark.parametrize("document", base_documents(), ids=lambda d: f"{d['kind']}-{d['metadata']['name']}")
def test_each_base_manifest_matches_its_schema(document: dict[str, Any]) -> None:
    kubernetes_validate.validate(document, VERSION, strict=True)


@pytest.mark.parametrize("overlay", ["dev", "prod"])
def test_each_overlay_renders_to_manifests_that_match_their_schemas(overlay: str) -> None:
    documents = render(overlay)
    for document in documents:
        kubernetes_validate.validate(document, VERSION, strict=True)
    assert {d["metadata"]["name"] for d in documents if d["kind"] == "StatefulSet"} == set(SERVICES)
    assert len({d["metadata"].get("namespace") for d in documents if d["kind"] != "Namespace"}) == 1


def test_the_schema_rejects_an_unknown_field() -> None:
    document = next(d for d in base_documents() if d["kind"] == "StatefulSet")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document | {"spec": document["spec"] | {"replica": 2}}, VERSION, strict=True)


def test_pods_meet_the_restricted_pod_security_standard() -> None:
    assert len(pods(base_documents())) == len(SERVICES)
    for pod in pods(base_documents()):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"]["type"] == "RuntimeDefault"
        assert {next(iter(volume.keys() - {"name"})) for volume in pod["volumes"]} <= {
            "persistentVolumeClaim",
            "secret",
            "emptyDir",
        }
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["allowPrivilegeEscalation"] is False
            assert context["capabilities"] == {"drop": ["ALL"]}


def test_the_services_start_with_the_settings_of_the_config_map() -> None:
    data = next(d["data"] for d in base_documents() if d["kind"] == "ConfigMap")
    settings = load_settings(data)
    ports = {d["metadata"]["name"]: d["spec"]["ports"][0]["port"] for d in base_documents() if d["kind"] == "Service"}
    for service in SERVICES:
        assert settings.address_of(service) == f"{service}:{ports[service]}"
