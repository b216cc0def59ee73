"""Where a stack's data lives: what is told, what makes a step of a preview, and what is said of it."""

import json
import runpy

import pulumi
import pytest

from components import data_places
from components.data_moves import KINDS, moves
from components.data_places import DataPlacesProvider
from components.plan import Plan
from components.settings import load
from tests.clone_root import ROOT
from tests.conftest import holders_of

TYPE = "pulumi-python:dynamic/supastack:DataPlaces"
REF, OTHER = "abcdefghijklmnopqrst", "bcdefghijklmnopqrstu"
BASE = {"imageSource": "local", "objectStorage": {"fallback": "minio"}}
STORE = {"engine": "external", "endpoint": "https://s3.a.example.com", "accessKey": "AKIAEXAMPLE", "buckets": ["shop", "files"]}
OUTSIDE = {"engine": "external", "external": {"host": "a.example.com", "bootstrap": True}}
MANAGED = {"managed": {"ref": REF}}
IN_STORE = {"storage": {"backend": "s3", "bucket": "files"}}
SECRETS = dict.fromkeys(("databasePassword", "externalDatabasePassword", "objectStorageSecretKey"), "MyOwnPassword1")


def config(**settings):
    told = {**BASE, **settings}
    return {f"supastack:{name}": value if isinstance(value, str) else json.dumps(value) for name, value in told.items()}


def places(**settings):
    secret = {key: SECRETS[key] for key in SECRETS}
    given = config(**{**secret, **settings})
    return data_places.of(Plan(load(given, stack="dev", secret_keys={f"supastack:{key}" for key in secret})))


def step(olds, news):
    """Whether it is a step of a preview, and what is kept then."""
    provider = DataPlacesProvider()
    checked = provider.check(olds, dict(news))
    assert not checked.failures, "it refuses nothing"
    return provider.diff("data", olds, checked.inputs).changes, checked.inputs


@pytest.fixture
def warned(monkeypatch):
    """What is warned of."""
    lines = []
    monkeypatch.setattr(data_places, "warn", lines.append)
    return lines


# ---- what is told ----------------------------------------------------------------------------------------------------


def test_by_default_all_of_it_lies_on_volumes_of_the_stacks_own():
    found = places()
    assert found == {
        "database": {"engine": "builtin", "name": "postgres"},
        "storage": {"backend": "file", "bucket": "supabase-storage", "tenant": found["storage"]["tenant"]},
        "buckets": {"store": "own", "bucket": "app"},
    }
    assert len(found["storage"]["tenant"]) == 20


def test_what_others_run_is_told_by_its_address_without_a_login():
    found = places(objectStorage=STORE, supabase={"database": OUTSIDE, **IN_STORE})
    assert found["database"] == {"engine": "external", "name": "postgres", "server": "a.example.com:5432"}
    assert found["buckets"] == {"store": "s3.a.example.com", "bucket": "shop"}
    assert found["storage"] | {"tenant": ""} == {"backend": "s3", "store": "s3.a.example.com", "bucket": "files", "tenant": ""}
    assert not holders_of("MyOwnPassword", found) | holders_of("AKIAEXAMPLE", found)


def test_a_managed_project_is_its_reference_whichever_way_leads_to_it():
    found = places(supabase=MANAGED)
    assert found["database"] == {"engine": "managed", "ref": REF, "name": "postgres"}
    assert found["storage"] == {"backend": "managed", "ref": REF}
    pooled = {"managed": {"ref": REF, "poolerHost": "aws-1-eu-central-2.pooler.supabase.com", "databaseHost": "10.0.0.1"}}
    assert places(supabase=pooled) == found


def test_what_is_turned_off_has_no_place():
    assert places(supabase={"enabled": False}).keys() == {"buckets"}
    assert places(supabase={"storage": {"enabled": False}}, objectStorage={"enabled": False}).keys() == {"database"}


# ---- what is a step --------------------------------------------------------------------------------------------------

NEAR = {"objectStorage": {**STORE, "endpoint": "https://s3.b.example.com"}}
MOVES = {
    "a store's files to a volume": (
        {"supabase": IN_STORE, "objectStorage": STORE},
        {"objectStorage": STORE},
        {"storage": "from the store s3.a.example.com (bucket files"},
    ),
    "another bucket": (
        {"supabase": {"storage": {"bucket": "one"}}},
        {},
        {"storage": "from its volume (bucket one"},
    ),
    "another tenant": ({"supabase": {"storage": {"tenantId": "one"}}}, {}, {"storage": "tenant one) to its volume"}),
    "another reference": ({"supabase": {"projectRef": REF}}, {"supabase": {"projectRef": OTHER}}, {"storage": f"tenant {OTHER}"}),
    "another store": (
        {"supabase": IN_STORE, "objectStorage": STORE},
        {"supabase": IN_STORE, **NEAR},
        {"storage": "to the store s3.b.example.com", "buckets": "shop in the store s3.a.example.com to shop in"},
    ),
    "a store of the stack's own": (
        {"objectStorage": STORE},
        {"objectStorage": {"fallback": "minio", "buckets": ["shop"]}},
        {"buckets": "to shop in the stack's own store"},
    ),
    "another server": (
        {"supabase": {"database": OUTSIDE}},
        {"supabase": {"database": {"engine": "external", "external": {"host": "b.example.com", "bootstrap": True}}}},
        {"database": "from the server a.example.com:5432 of others (database postgres) to the server b.example.com:5432"},
    ),
    "another managed project": (
        {"supabase": MANAGED},
        {"supabase": {"managed": {"ref": OTHER}}},
        {"database": f"to the managed project {OTHER}", "storage": f"from the managed project {REF}"},
    ),
    "own to managed": (
        {},
        {"supabase": MANAGED},
        {"database": "the stack's own server (builtin, database postgres)", "storage": ""},
    ),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_move_is_a_step_that_names_the_kind_and_says_what_stays_behind(warned, move):
    before, after, said = MOVES[move]
    olds, news = places(**before), places(**after)
    changes, kept = step(olds, news)
    assert changes
    assert kept == news
    assert {kind for kind in kept if olds[kind] != kept[kind]} == said.keys()
    for line, told in zip(warned, (said[kind] for kind in KINDS if kind in said), strict=True):
        assert told in line
        assert "not moved" in line
        assert "set back" in line


def test_what_is_as_it_was_is_no_step_and_nothing_is_said(warned):
    for told in ({}, {"supabase": MANAGED}, {"supabase": IN_STORE, "objectStorage": STORE}):
        assert step(places(**told), places(**told)) == (False, places(**told))
    same = {**STORE, "endpoint": "http://s3.a.example.com", "buckets": ["shop", "files", "more"]}
    assert not step(places(objectStorage=STORE), places(objectStorage=same))[0], "encrypted, or with one more bucket"
    assert warned == []


def test_a_stack_without_places_gets_them_and_is_warned_of_nothing(warned):
    provider = DataPlacesProvider()
    inputs = provider.check({}, places()).inputs
    assert provider.create(inputs).outs == places()
    assert warned == []


def test_what_is_turned_off_keeps_its_place_and_to_turn_it_on_elsewhere_is_a_move(warned):
    changes, off = step(places(objectStorage=STORE), places(objectStorage={"enabled": False}))
    assert not changes
    assert warned == []
    changes, kept = step(off, places(**NEAR))
    assert changes
    assert DataPlacesProvider().update("data", off, kept).outs == places(**NEAR)
    assert len(warned) == 1


def test_words_are_made_of_what_a_state_has_whatever_that_is():
    assert moves({}, places()) == []
    assert moves({"database": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}, places()) == []


# ---- what is registered ----------------------------------------------------------------------------------------------


@pytest.fixture
def run(engine):
    def registered(**settings):
        told = config(**{**SECRETS, **settings})
        pulumi.runtime.set_all_config(told, [f"supastack:{key}" for key in SECRETS])
        return engine(lambda: runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__"))

    yield registered
    pulumi.runtime.set_all_config({}, [])


def test_the_places_are_plain_known_in_previews_protected_and_told_once_the_checks_have_passed(run):
    recorder = run(objectStorage=STORE, supabase={"database": OUTSIDE})
    request, inputs = recorder.requests["data"], recorder.inputs("data")
    assert request.type == TYPE
    assert request.protect
    assert not request.dependencies, "what it depends on would stay with it when the stack goes down"
    order = list(recorder.requests)
    assert max(map(order.index, ("checks", "env-files-check"))) < order.index("data")
    told = {kind: inputs[kind] for kind in KINDS}
    assert told == places(objectStorage=STORE, supabase={"database": OUTSIDE}), "as it is, none of it marked as secret"
    assert not holders_of("MyOwnPassword", inputs) | holders_of("AKIAEXAMPLE", inputs)


def test_the_provider_in_the_state_is_a_reference_that_never_changes():
    from pulumi.dynamic.dynamic import serialize_provider

    first = serialize_provider(DataPlacesProvider())
    assert first == serialize_provider(DataPlacesProvider())
    assert len(first) < 200
