"""The examples in deploy/cluster: valid YAML, Ray's own schema, one version of Ray."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from vst.cli.stylize import command as stylize
from vst.storage import is_address

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy" / "cluster"
FILES = pytest.mark.parametrize("name", ["kuberay.yaml", "ray-up.yaml"])


def read(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def list_commands(name: str) -> list[list[str]]:
    """The words of each `vst stylize` of a file, its comments included."""
    text = re.sub(r" *\\\n# *|\n {4}(?=--)", " ", (FOLDER / name).read_text(encoding="utf-8"))
    return [shlex.split(found) for found in re.findall(r"vst (stylize [^\"\n]+)", text)]


@FILES
def test_yamllint_finds_nothing(name: str) -> None:
    config = pytest.importorskip("yamllint.config", reason="needs yamllint, of the extra 'dev'")
    from yamllint import linter

    rules = "{extends: default, rules: {line-length: {max: 100}}}"
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert list(linter.run(text, config.YamlLintConfig(rules))) == []


@FILES
def test_its_commands_have_options_that_exist_and_work_in_buckets(name: str) -> None:
    found = list_commands(name)
    assert found
    for words in found:
        context = stylize.make_context("vst", words[1:])
        assert isinstance(context, click.Context)
        for option in ("content", "output", "storage"):
            assert is_address(context.params[option])


def test_ray_accepts_the_launchers_file() -> None:
    ray = pytest.importorskip("ray", reason="needs the extra 'cluster'")
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(
        (Path(ray.__file__).parent / "autoscaler" / "ray-schema.json").read_text(encoding="utf-8")
    )
    found = read("ray-up.yaml")
    jsonschema.validate(found, schema)
    assert found["head_node_type"] in found["available_node_types"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**found, "head_node": "unknown"}, schema)


def test_the_manifest_describes_a_job_of_kuberay() -> None:
    job = read("kuberay.yaml")
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    cluster = job["spec"]["rayClusterSpec"]
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    containers = [one for group in groups for one in group["template"]["spec"]["containers"]]
    assert len({one["image"] for one in containers}) == 1
    assert all(one["resources"]["requests"] == one["resources"]["limits"] for one in containers)
    assert all(one["envFrom"] for one in containers), "all of them reach the bucket"
    for group in cluster["workerGroupSpecs"]:
        assert 0 < group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]


def test_ray_has_one_version() -> None:
    tested = re.search(
        r"^ray==(\S+)", (ROOT / "packaging" / "constraints.txt").read_text(encoding="utf-8"), re.M
    )
    image = re.search(r"rayproject/ray:([\d.]+)", (FOLDER / "Dockerfile").read_text("utf-8"))
    assert tested is not None and image is not None
    assert (
        tested[1] == image[1] == str(read("kuberay.yaml")["spec"]["rayClusterSpec"]["rayVersion"])
    )
