"""The picture of a stack, and that the one in the docs is up to date."""

import xml.etree.ElementTree as ET

import pytest

from components.graph import DONE, USAGE, draw, main
from components.plan import Plan
from components.service import Gate
from components.settings import load, load_file
from tests.clone_root import ROOT

SVG = "{http://www.w3.org/2000/svg}"
LOCAL = {"supastack:imageSource": "local", "supastack:objectStorage": {"fallback": "minio"}}


def plan(config=None):
    return Plan(load({**LOCAL, **(config or {})}, stack="dev"))


def drawn(made):
    """The boxes by id with their texts, and the connections with their class."""
    root = ET.fromstring(draw(made))
    groups = {g.get("id"): [t.text for t in g.iter(f"{SVG}text")] for g in root.iter(f"{SVG}g") if g.get("id")}
    lines = {p.find(f"{SVG}title").text: p.get("class") for p in root.iter(f"{SVG}path") if p.find(f"{SVG}title") is not None}
    return groups, lines


def test_every_service_that_runs_is_a_box_and_what_is_off_is_none():
    made = plan({"supastack:cache": {"enabled": False}})
    boxes, _ = drawn(made)
    running = {f"{c}-{s.name}" for c, services in made.services.items() for s in services if not s.off}
    assert set(boxes) == running
    assert "cache-valkey" not in boxes
    assert "supabase-vector" not in boxes


def test_every_connection_is_a_line_in_the_manner_of_its_gate():
    made = plan()
    _, lines = drawn(made)
    services = {s.name: (c, s) for c, every in made.services.items() for s in every if not s.off}
    where = {capability: f"{c}-{s.name}" for c, s in services.values() for capability in s.provides}
    expected = {
        f"{c}-{s.name} connects to {where[edge.capability]}"
        for c, s in services.values()
        for edge in s.connects
        if edge.capability in where
    }
    assert set(lines) == expected
    assert lines["supabase-auth connects to supabase-postgres"] == "line healthy"
    assert lines["supabase-gateway connects to supabase-auth"] == "line none"
    assert {words.split()[1] for words in lines.values()} <= {gate.value for gate in Gate}


def test_what_is_published_where_stands_in_the_box():
    boxes, _ = drawn(plan({"supastack:instance": 2}))
    assert "127.0.0.1:55321 api" in boxes["supabase-gateway"]
    assert "127.0.0.1:55322 postgres" in boxes["supabase-postgres"]
    published = [text for texts in boxes.values() for text in texts if text.startswith("127.0.0.1:")]
    assert len(published) == len(plan().ports)


def test_what_is_optional_a_job_kept_or_outside_is_said():
    boxes, _ = drawn(plan())
    assert "optional" in boxes["supabase-studio"]
    assert "job" in boxes["objects-buckets"]
    assert "keeps postgres-data, postgres-config" in boxes["supabase-postgres"]
    assert any(text.startswith("outside: ") for text in boxes["supabase-functions"])
    assert "sees storage-data" in boxes["supabase-imgproxy"]


def test_a_store_of_another_component_is_connected_to():
    objects = {**LOCAL["supastack:objectStorage"], "buckets": ["app", "supabase-storage"]}
    storage = {"storage": {"backend": "s3"}}
    _, lines = drawn(plan({"supastack:supabase": storage, "supastack:objectStorage": objects}))
    assert any(line.startswith("supabase-storage connects to objects-") for line in lines)


def test_no_text_is_wider_than_its_box():
    root = ET.fromstring(draw(plan()))
    for group in (g for g in root.iter(f"{SVG}g") if g.get("id")):
        width = int(group.find(f"{SVG}rect").get("width"))
        for text in group.iter(f"{SVG}text"):
            assert len(text.text) * 6 < width, text.text


def test_the_same_stack_is_the_same_picture():
    assert draw(plan()) == draw(plan())


def test_the_picture_in_the_docs_is_up_to_date():
    made = Plan(load_file(ROOT / "Pulumi.dev.yaml", stack="dev"))
    assert (ROOT / "docs/stack.svg").read_text() == draw(made), "run `make graph`"


def test_the_command_writes_where_it_is_told_and_says_so(tmp_path, capsys):
    file = tmp_path / "kpi.svg"
    assert main([str(file), "--stack", "kpi-local", "--config", str(ROOT / "Pulumi.kpi-local.yaml")]) == DONE
    assert capsys.readouterr().out.strip() == str(file)
    ET.fromstring(file.read_text())


@pytest.mark.parametrize("config", ["config:\n  supastack:instance: 99\n", None])
def test_what_can_not_be_drawn_is_told(tmp_path, capsys, config):
    file = tmp_path / "Pulumi.dev.yaml"
    if config:
        file.write_text(config)
    assert main([str(tmp_path / "x.svg"), "--stack", "dev", "--config", str(file)]) == USAGE
    assert capsys.readouterr().err.startswith("error: ")
    assert not (tmp_path / "x.svg").exists()
