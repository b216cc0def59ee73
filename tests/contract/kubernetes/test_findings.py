"""What checkov says of the manifests: nothing that findings.yaml does not explain, and no explanation of what it does not say."""

import json
import re
import subprocess
from collections import defaultdict
from fnmatch import fnmatch

import pytest
import yaml

from components.targets.kubernetes.security import unrestricted
from tests.clone_root import ROOT
from tests.contract.kubernetes import stacks
from tests.peers import tools

EXPLAINED = yaml.safe_load((ROOT / "tests/contract/kubernetes/findings.yaml").read_text())
STACKS = {
    "2026-09-ingress": lambda: stacks.rendered(exposure="ingress"),
    "2026-09-local": lambda: stacks.rendered(source="local"),
    "2026-09-cloudnativepg": lambda: stacks.render(
        stacks.config(
            engine="cloudnativepg",
            exposure="loadbalancer",
            kubernetes={"replicas": {"meta": 2}, "autoscaling": {"rest": {}}, "dataPriorityClass": "data"},
        )
    ),
    "2024-01": lambda: stacks.rendered("2024-01"),
}


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """Kinds and names by check."""
    folder = tmp_path_factory.mktemp("manifests")
    for name, made in STACKS.items():
        (folder / name).mkdir()
        for manifest in made().manifests:
            (folder / name / f"{manifest.name}.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(manifest.body))))
    command = [
        tools.checkov(),
        "-m",
        "checkov.main",
        "-d",
        folder,
        "--framework",
        "kubernetes",
        "-o",
        "json",
        "--compact",
        "--quiet",
    ]
    # It asks its makers' service for texts, which it need not have.
    done = subprocess.run([*command, "--skip-download"], capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 5000
    found = defaultdict(set)
    for one in report["results"]["failed_checks"]:
        kind, _, name = one["resource"].split(".", 2)
        found[one["check_id"]].add(f"{kind} {re.sub('-[0-9a-f]{8}$', '', name) if kind == 'Job' else name}")
    return found


def test_every_finding_is_explained(findings):
    unexplained = {
        check: sorted(left)
        for check, found in findings.items()
        if (left := [one for one in found if not any(fnmatch(one, where) for where in EXPLAINED.get(check, {}).get("where", ()))])
    }
    assert unexplained == {}, json.dumps(unexplained)


def test_every_explanation_is_of_a_finding(findings):
    assert set(EXPLAINED) - set(findings) == set()
    stale = {
        (check, where)
        for check, row in EXPLAINED.items()
        for where in row["where"]
        if not any(fnmatch(f, where) for f in findings[check])
    }
    assert stale == set()
    assert all(row["what"].strip() and len(row["why"]) > 20 for row in EXPLAINED.values())


def test_who_may_run_as_root_is_who_the_preview_names(findings):
    excused = {"vector"}
    for made in STACKS.values():
        excused |= set(unrestricted(made().services))
    assert {one.split()[1] for one in findings["CKV_K8S_23"]} == excused
