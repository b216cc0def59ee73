"""What the documents say is there, is there."""

import re
import tomllib
from typing import get_origin

import pytest
import yaml

from components import describe
from components.plan import SUPABASE, Plan
from components.service import Kind
from components.setting_schema import all_fields
from components.settings import load, load_file
from tests.clone_root import ROOT
from tests.integration import daemon
from toolchain import pins
from toolchain.cluster import machine
from toolchain.images import recipes

DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_every_link_leads_somewhere(document):
    text = document.read_text()
    for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        assert link.startswith("https://") or (document.parent / link).exists(), link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_every_link_into_a_document_leads_to_a_heading(document):
    for file, heading in re.findall(r"\]\(([^)#\s:]*)#([^)\s]+)\)", document.read_text()):
        text = (document.parent / file if file else document).read_text()
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        # As GitHub makes them.
        assert heading in {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}, f"{file}#{heading}"


def test_the_readme_shows_what_a_newcomer_will_see():
    readme = (ROOT / "README.md").read_text()
    transcript = readme.split("<!-- transcript:begin -->")[1].split("<!-- transcript:end -->")[0]
    for line in ("$ make up", "Stack dev is up.", " unchanged", "API_URL", "stubs answer health checks only"):
        assert line in transcript


def test_every_target_of_the_makefile_that_is_named_exists():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z][a-z -]*):", makefile, re.MULTILINE))
    known = {word for line in targets for word in line.split()}
    for document in [*DOCUMENTS, ROOT / "requirements.in", ROOT / "requirements-dev.in"]:
        named = set(re.findall(r"`make (?:-s )?([a-z][a-z-]*)", document.read_text()))
        assert named <= known, document.name


@pytest.mark.parametrize("file", [*DOCUMENTS, *sorted(ROOT.glob("Pulumi.*.yaml"))], ids=lambda f: f.name)
def test_who_is_told_to_run_pulumi_is_told_how_the_shell_gets_it(file):
    text = file.read_text()
    # A line of its own, to be pasted; within a sentence a page has said it before.
    if re.search(r"^(?:#? *|\$ )pulumi config set\b", text, re.MULTILINE) or (
        file.suffix == ".yaml" and "`pulumi config set" in text
    ):
        assert re.search(r'eval "\$\(make -s activate(?: STACK=[\w-]+)?\)"', text)


def test_the_readme_says_what_needs_root_and_go_and_what_can_be_run_without(monkeypatch):
    readme = " ".join((ROOT / "README.md").read_text().split())
    row = next(line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| Kubernetes |"))
    monkeypatch.setattr(machine, "_which", lambda program: None)
    # Every Debian has these.
    for package in {*machine.missing_packages()} - {"util-linux", "mount"}:
        assert package in row
    for needs in (row, re.search(r"\*\*Linux, root and Go\*\*.*?runs the tests", readme)[0]):
        assert all(word in needs for word in ("Linux", "root", "Go"))
    without = 'make test ARGS="tests/unit tests/contract"'
    assert without in readme
    for workflow in ("pull-request", "main"):
        assert without.removeprefix("make ") in (ROOT / f".github/workflows/{workflow}.yaml").read_text()
    for uid, has, reason in ((1000, "/usr/bin/dockerd", "not root"), (0, None, "not installed"), (0, "/usr/bin/dockerd", None)):
        monkeypatch.setattr(daemon.os, "geteuid", lambda uid=uid: uid)
        monkeypatch.setattr(daemon.shutil, "which", lambda _, has=has: has)
        monkeypatch.setattr(daemon.sys, "platform", "linux")
        problem = daemon.why_none()
        assert problem is None if reason is None else (reason in problem and without in problem)
    monkeypatch.setattr(daemon.sys, "platform", "darwin")
    assert "no Linux" in daemon.why_none()


def test_engine_floor_and_local_images_are_the_same_everywhere():
    text = (ROOT / "Pulumi.yaml").read_text()
    project = yaml.safe_load(text)
    assert project["requiredPulumiVersion"] == f">={pins.ENGINE_FLOOR}"
    # Its comments too: below the marker all is made from the settings.
    named = set(re.findall(r"\b3\.\d+", text.split("# settings:begin", maxsplit=1)[0]))
    assert named == {pins.ENGINE_FLOOR.rsplit(".", maxsplit=1)[0]}
    local = yaml.safe_load((ROOT / "components/releases/local.yaml").read_text())["images"]
    made = {recipe.reference for recipe in map(recipes.load, recipes.names())}
    assert {entry["reference"] for entry in local.values()} <= made


def test_the_readme_says_which_shipped_stacks_come_up_as_they_are(capsys, monkeypatch):
    monkeypatch.setenv("KUBECONFIG", "kubeconfig")
    rows = re.findall(r"^\| (`[^|]*`) \|[^|]*\| ([^|]*) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    told = {name: needs for names, needs in rows for name in re.findall(r"`([\w-]+)`", names)}
    for path in ROOT.glob("Pulumi.*.yaml"):
        stack = path.stem.removeprefix("Pulumi.")
        assert (describe.main(["--stack", stack, "--config", str(path)]) == 0) is told[stack].startswith("nothing"), stack
        for secret in set(
            re.findall(r"supastack:(\w+)\n +why: [^\n]*\n +fix: run: pulumi config set --secret", capsys.readouterr().err)
        ):
            assert f"`{secret}`" in told[stack] or "ten secrets" in told[stack], stack


def test_the_shipped_stack_files_are_right(capsys, monkeypatch):
    for stack in ("dev", "preview", "kpi-local", "kube", "supa-manager", "cleanmatex"):
        assert describe.main(["--stack", stack, "--config", str(ROOT / f"Pulumi.{stack}.yaml")]) == 0
    # Its password is for each developer to set.
    assert describe.main(["--stack", "kpi", "--config", str(ROOT / "Pulumi.kpi.yaml")]) == 2
    refused = capsys.readouterr().err
    assert "one setting is not right" in refused
    assert "pulumi config set --secret supastack:databasePassword --stack kpi" in refused
    # Nobody but their owners has the secrets of the projects.
    assert describe.main(["--stack", "monopilot", "--config", str(ROOT / "Pulumi.monopilot.yaml")]) == 2
    assert "10 settings are not right" in capsys.readouterr().err
    # Their two secrets are for whoever copies them; CI names the kubeconfig.
    monkeypatch.setenv("KUBECONFIG", "kubeconfig")
    for stack in ("prod", "staging"):
        assert describe.main(["--stack", stack, "--config", str(ROOT / f"Pulumi.{stack}.yaml")]) == 2
        assert "2 settings are not right" in capsys.readouterr().err


def test_the_project_is_python_3_11_everywhere():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["requires-python"] == ">=3.11"
    assert project["tool"]["ruff"]["target-version"] == "py311"
    assert project["tool"]["mypy"]["python_version"] == "3.11"


def is_setting(name):
    """Whether a dotted name is that of a setting; below a mapping of texts stand one or two names that the user chose. `<name>` is any."""
    path = name.split(".")
    for field in all_fields():
        chosen = len(path) - len(field.path)
        deeper = (0, 1, 2) if get_origin(field.type) is dict and field.group is None else (0,)
        if chosen in deeper and all(
            mine in (theirs, "*") or theirs[0] == "<" for mine, theirs in zip(field.path, path, strict=False)
        ):
            return True
    return False


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_every_setting_that_a_document_names_exists(document):
    named = set(re.findall(r"\bsupastack:([a-zA-Z]\w*(?:\.(?:<\w+>|[\w-]+))*)", document.read_text()))
    assert [name for name in sorted(named) if not is_setting(name)] == []
    assert not is_setting("supabase.services.auth.environment")


def test_the_table_of_services_is_the_stack_that_is_made():
    on = {"enabled": True}
    stack = load({"supastack:imageSource": "registry", "supastack:supabase": {"analytics": on, "vector": on}}, stack="dev")
    made = [
        (
            service.name,
            service.image.role,
            ", ".join(str(port.number) for port in service.ports),
            ", ".join(port.publish for port in service.ports if port.publish),
            "yes" if service.optional else "",
            f"{service.resources.memory_mib} MiB",
        )
        for service in Plan(stack).services[SUPABASE]
    ]
    rows = (ROOT / "docs/services.md").read_text().split("| --- |", 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    assert [tuple(cell.strip() for cell in row.split("|")[1:7]) for row in rows] == made, (
        "docs/services.md: the first six columns"
    )


def test_the_memory_limits_of_dev_stand_with_their_sources_in_the_figures_and_have_the_sum_that_stands_there():
    planned = Plan(load_file(ROOT / "Pulumi.dev.yaml", stack="dev")).services
    running = {s.name: s for services in planned.values() for s in services if not s.off}
    text = (ROOT / "docs/figures.md").read_text().split("## Memory limits of dev", 1)[1].split("\n## ", 1)[0]
    rows = [[cell.strip(" *") for cell in line.split("|")[1:4]] for line in text.splitlines() if line.startswith("| ")][2:]
    told = {name: limit for name, limit, _ in rows}
    together = sum(s.resources.memory_mib for s in planned[SUPABASE] if not s.off and s.kind is Kind.SERVER)
    assert told.pop("Supabase's servers together") == f"{together} MiB"
    assert told == {name: f"{s.resources.memory_mib} MiB" for name, s in running.items()}
    for name, _, source in rows:
        assert any(word in source for word in ("chosen by us", "[1]", "[2]", "measured here", "the goal")), name
