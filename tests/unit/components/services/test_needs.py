"""What becomes of services when others are off."""

import pulumi
import pytest

from components.supabase_settings.override import SERVICES
from components.supabase_stack import services
from tests.unit.components.placements import placement


def stack(settings, **more):
    made = services({"placement": placement(local_images=False, **more), "settings": settings})
    return {service.name: service for service in made if not service.off}


@pytest.mark.parametrize(("off", "needing"), [("meta", "studio"), ("gateway", "studio")])
def test_a_component_by_itself_refuses_a_service_whose_need_is_off(off, needing):
    with pytest.raises(pulumi.InputPropertyError, match=f"{needing} needs {off}"):
        stack({off: {"enabled": False}})


@pytest.mark.parametrize("release", ["2024-01", "2024-05", "2026-09"])
@pytest.mark.parametrize("off", [name for name in SERVICES if name not in ("postgres", "meta", "gateway")])
def test_every_other_service_can_be_off(off, release):
    made = stack({off: {"enabled": False}}, release=release)
    assert off not in made
    assert "postgres" in made


@pytest.mark.parametrize("release", ["2024-01", "2024-05", "2026-09"])
def test_the_database_alone_is_a_stack(release):
    off = {name: {"enabled": False} for name in SERVICES if name != "postgres"}
    assert set(stack(off, release=release)) == {"postgres"}


@pytest.mark.parametrize("release", ["2024-01", "2024-05", "2026-09"])
def test_nothing_is_told_of_a_service_but_by_an_edge_to_it(release):
    """Edges are the allowed connections: an address without one could be reached on Docker alone."""
    # Not in the sets of 2024-01, and off by default.
    logs = {} if release == "2024-01" else {name: {"enabled": True} for name in ("analytics", "vector")}
    made = stack(logs, release=release)
    for service in made.values():
        told = {capability for text in service.env.values() for capability in text.capabilities}
        assert told <= {edge.capability for edge in service.connects}, service.name
