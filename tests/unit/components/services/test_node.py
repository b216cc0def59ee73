"""Health checks that start a Node.js process each time."""

import pytest

from components import releases
from components.plan import Plan
from components.settings import load


@pytest.mark.parametrize("release", releases.names())
def test_a_check_that_starts_node_is_run_twice_a_minute_at_most(release):
    settings = {"supastack:release": release, "supastack:imageSource": "registry", "supastack:cache": {"commander": True}}
    found = [service for made in Plan(load(settings, stack="dev")).services.values() for service in made if service.health]
    node = [service for service in found if service.health.command[0] == "node" or service.health.command[0].endswith(".js")]
    assert {service.name for service in node} >= {"meta", "redis-commander"}
    for service in node:
        assert service.health.interval >= 30, service.name
        # Three failures are soon counted as unwell, and until then nobody else does.
        assert service.health.start_period >= 30, service.name
