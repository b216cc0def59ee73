"""When the buckets job is there, and what it is told; what the server makes of it, tests/integration/database/test_buckets.py holds."""

import re

import pytest

from components.service import Edge, Gate, Kind
from components.services.storage_buckets import statements
from components.supabase_stack import services
from tests.unit.components.placements import placement

TICKETS = {"service-ticket-attachments": {"fileSizeLimit": "50mb", "policies": {"up": {"command": "insert"}}}}


def job(local=True, **storage):
    made = services({"placement": placement(local_images=local), "settings": {"storage": storage}})
    found = [s for s in made if s.name == "storage-buckets"]
    return found[0] if found else None


def script(service):
    return "".join(p for p in service.files[0].content.parts if isinstance(p, str))


@pytest.mark.parametrize("storage", [{}, {"buckets": {}}, {"enabled": False, "buckets": TICKETS}])
def test_without_buckets_or_without_storage_there_is_no_job(storage):
    assert job(**storage) is None


def test_it_waits_for_storage_which_makes_the_tables():
    service = job(buckets=TICKETS)
    assert service.kind is Kind.JOB
    assert Edge("storage", Gate.HEALTHY) in service.connects


def test_only_a_stub_may_have_no_tables():
    assert re.search(r"storage_is_stub', 'true'", script(job(buckets=TICKETS)))
    assert re.search(r"storage_is_stub', 'false'", script(job(local=False, buckets=TICKETS)))


def test_sizes_are_bytes_and_what_is_unset_is_not_said():
    said = script(job(buckets=TICKETS))
    assert '"fileSizeLimit": 52428800' in said
    assert "allowedMimeTypes" not in said.split("do $do$")[0]


def test_the_same_settings_in_another_order_are_the_same_job():
    one = {"a": {"public": True, "policies": {}}, "b": {"public": False, "policies": {}}}
    assert statements(one, stub=False) == statements(dict(reversed(one.items())), stub=False)


def test_a_text_can_not_leave_its_place():
    said = statements({"a": {"policies": {"it's": {"using": "x = ''';drop table y;--'"}}}}, stub=False)
    literal = re.search(r"set_config\('supastack\.buckets', '((?:[^']|'')*)', true\)", said)
    assert literal is not None
    assert "drop table y" in literal[1]


def test_the_password_is_no_argument():
    service = job(buckets=TICKETS)
    assert "PGPASSWORD" in {name for name, value in service.env.items() if value.secrets}
    assert not [f for f in service.files if f.content.secrets]
