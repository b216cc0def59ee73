"""A stack with any one service turned off, and with any two: it fits together, or is refused with advice that leads to one that does."""

import itertools
import json
import re
from collections.abc import Collection, Iterator
from typing import Any

import pytest

from components import releases
from components.plan import SUPABASE, Plan
from components.service import Service, providers, start_order
from components.settings import SettingsError, load
from components.supabase_settings.override import SERVICES
from tests.conftest import unwrapped
from tests.unit.components.test_program import CONTAINER, LOCAL, run

OPTIONAL = ("analytics", "imgproxy", "mail", "studio", "vector")
LOGS = ("analytics", "vector")
CAN_GO = tuple(name for name in SERVICES if name != "postgres")
STORES = {"file": {}, "s3": {"backend": "s3", "bucket": "app"}}
# Without the catcher, and with confirmations, every sign-up would fail: the settings refuse that with more ways out than one.
WITHOUT_MAIL = {"auth": {"email": {"enableConfirmations": False}}}
each = pytest.mark.parametrize("service", CAN_GO)


def supabase(off: Collection[str], release: str = releases.DEFAULT, store: str = "file") -> dict[str, Any]:
    """The settings of a stack of everything that a release has, but these."""
    had = releases.load(release, local=False)
    settings: dict[str, Any] = {"storage": dict(STORES[store])}
    for name in SERVICES:
        if name in off or (name in LOGS and had.has(name)):
            settings.setdefault(name, {})["enabled"] = name not in off
    if "mail" in off:
        settings["auth"] = {**WITHOUT_MAIL["auth"], **settings.get("auth", {})}
    return settings


def config(settings: dict[str, Any], release: str = releases.DEFAULT, source: str = "registry") -> dict[str, object]:
    return {
        "supastack:imageSource": source,
        "supastack:release": release,
        "supastack:objectStorage": {"fallback": "minio", "buckets": ["app"]},
        "supastack:supabase": settings,
    }


def planned(off: Collection[str], release: str = releases.DEFAULT, store: str = "file") -> tuple[Plan, set[str]]:
    """The plan of a stack without these, and what is off in it: what the refusals, as long as there are some, say to turn off too."""
    gone = set(off)
    while True:
        try:
            return Plan(load(config(supabase(gone, release, store), release), stack="dev")), gone
        except SettingsError as refused:
            advised = set(re.findall(r"supabase\.(\w+)\.enabled: false", str(refused))) - gone
            if not advised:
                raise
            gone |= advised


def running(plan: Plan) -> list[Service]:
    return [service for services in plan.services.values() for service in services if not service.off]


def defects(plan: Plan) -> Iterator[str]:
    """What does not fit together in what runs."""
    servers = running(plan)
    reached = set(providers(servers))
    volumes = {v.name for services in plan.services.values() for s in services for v in s.volumes}
    for service in servers:
        for text in (*service.env.values(), *(file.content for file in service.files)):
            yield from (f"{service.name} is told the address of {c}" for c in text.capabilities - reached)
        yield from (
            f"{service.name} connects to {edge.capability}" for edge in service.connects if edge.capability not in reached
        )
        yield from (f"{service.name} mounts {m.volume}" for m in service.mounts if m.volume not in volumes)
        if not service.image.reference:
            yield f"{service.name} has no image"
    list(start_order(servers))
    names = {service.name for service in servers}
    yield from (f"port {port.name} is {port.service}'s" for port in plan.ports if port.service not in names)


def names(plan: Plan) -> set[str]:
    return {service.name for service in plan.services[SUPABASE] if not service.off and service.name in SERVICES}


@each
@pytest.mark.parametrize("release", releases.names())
@pytest.mark.parametrize("store", STORES)
def test_without_one_service_the_rest_fits_together(service: str, release: str, store: str) -> None:
    plan, off = planned({service}, release, store)
    had = releases.load(release, local=False)
    assert names(plan) == {name for name in SERVICES if name not in off and had.has(had.role(name))}
    assert list(defects(plan)) == []


def test_without_any_two_services_the_rest_fits_together() -> None:
    for off in itertools.combinations(CAN_GO, 2):
        plan, gone = planned(off)
        assert names(plan) == set(SERVICES) - gone, off
        assert list(defects(plan)) == [], off


def test_the_defects_are_found_where_there_are_some() -> None:
    plan, _ = planned(())
    assert list(defects(plan)) == []
    plan.services = {**plan.services, SUPABASE: tuple(s for s in plan.services[SUPABASE] if s.name != "postgres")}
    assert {"auth is told the address of postgres", "auth connects to postgres"} <= set(defects(plan))


@pytest.mark.parametrize(
    ("service", "too"),
    [("meta", {"studio"}), ("gateway", {"studio"}), ("rest", {"storage"}), ("analytics", {"vector"})],
)
def test_what_others_need_is_refused_alone_and_names_who_needs_it(service: str, too: set[str]) -> None:
    with pytest.raises(SettingsError) as refused:
        load(config(supabase({service})), stack="dev")
    for name in too:
        assert f"{name} needs {service}" in str(refused.value)
    assert planned({service})[1] == {service, *too}


@pytest.mark.parametrize("service", sorted(set(CAN_GO) - {"meta", "gateway", "rest", "analytics"}))
def test_every_other_service_can_be_turned_off_alone(service: str) -> None:
    assert planned({service})[1] == {service}


def test_nobody_is_refused_or_gated_for_the_lack_of_an_optional_service() -> None:
    plan, off = planned(OPTIONAL)
    assert off == set(OPTIONAL)
    assert list(defects(plan)) == []
    whole, _ = planned(())
    optional = {service.name for service in running(whole) if service.optional}
    assert optional == set(OPTIONAL)
    for service, gates in start_order(running(whole)):
        assert {other.name for other, _ in gates}.isdisjoint(OPTIONAL) or service.name in OPTIONAL, service.name


TOLD = {
    "gateway": {"API_URL", "REST_URL", "FUNCTIONS_URL", "GRAPHQL_URL", "STORAGE_S3_URL", "STUDIO_URL"},
    "rest": {"REST_URL", "GRAPHQL_URL", "STORAGE_S3_URL"},
    "storage": {"STORAGE_S3_URL", "S3_PROTOCOL_ACCESS_KEY_ID"},
    "functions": {"FUNCTIONS_URL"},
    "studio": {"STUDIO_URL", "DASHBOARD_PASSWORD"},
    "mail": {"MAILPIT_URL"},
    "pooler": {"POOLER_URL", "POOLER_SESSION_URL"},
}


@each
def test_no_output_tells_of_a_service_that_is_off(service: str) -> None:
    whole = set(planned(())[0].values)
    assert TOLD.get(service, set()) <= whole
    assert TOLD.get(service, set()).isdisjoint(planned({service})[0].values)


@each
def test_the_program_runs_without_one_service_and_keeps_its_data(engine: Any, service: str) -> None:
    _, off = planned({service})
    given = config(supabase(off), source="local")
    recorder = run(
        engine, {**LOCAL, **{key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}}
    )
    wanted = {f"supabase-{name}" for name in SERVICES if name not in off}
    found = {name for name in recorder.of_type(CONTAINER) if name.startswith("supabase-")}
    assert found == wanted
    volumes = {name for name, request in recorder.of_type("docker:index/volume:Volume").items() if request.protect}
    assert {"supabase-postgres-data", "supabase-storage-data", "supabase-functions-code", "supabase-studio-snippets"} <= volumes
    watched = set(unwrapped(recorder.inputs("health"))["parameters"]["containers"])
    assert {f"supastack-dev-supabase-{name}" for name in off}.isdisjoint(watched)
