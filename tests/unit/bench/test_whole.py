"""What the bench of the whole stack does beside measuring."""

from types import SimpleNamespace

import pytest
import yaml

from bench.run import FailedRunError
from bench.starts import Watch, path_and_sum
from bench.whole import delayed
from components.plan import SUPABASE, Plan
from components.settings import load
from tests.clone_root import ROOT


def test_the_path_is_from_the_first_start_to_the_last_that_is_well_and_the_sum_is_over_all():
    started = {"a": 10.0, "b": 11.0, "job": 3.0}
    assert path_and_sum(started, {"a": 12.0, "b": 16.0}, {"a", "b"}) == (6.0, 7.0)


@pytest.mark.parametrize("checked", [{"a", "studio"}, set()])
def test_there_is_no_figure_where_one_was_not_seen_to_get_well(checked):
    with pytest.raises(FailedRunError, match="not seen to get well: studio" if checked else "no container"):
        path_and_sum({"a": 1.0, "studio": 1.0}, {"a": 2.0}, checked)


class Daemon:
    """A client of a daemon that runs these containers; the health check of `wrong` fails."""

    def __init__(self, *checked, wrong=""):
        self.asked = []
        self.wrong = wrong
        self.containers = SimpleNamespace(list=lambda: self.made)
        self.made = [self.container(name, {"Test": ["CMD", name]}) for name in checked] + [self.container("job", None)]
        self.api = self

    def container(self, name, check):
        attrs = {"Id": name, "Config": {"Healthcheck": check}, "State": {"StartedAt": "now"}}
        return SimpleNamespace(name=name, attrs=attrs)

    def exec_create(self, container, command):
        self.asked.append((container, command))
        return {"Id": container}

    def exec_start(self, made):
        return made

    def exec_inspect(self, made):
        return {"ExitCode": int(made == self.wrong)}


def test_each_container_with_a_health_check_is_asked_by_it_until_it_is_well():
    daemon = Daemon("studio", "meta")
    with Watch(daemon, every=0.01) as watch:
        path, total = watch.times()
    assert 0 < path <= total
    assert sorted(daemon.asked) == [("meta", ["meta"]), ("studio", ["studio"])]


def test_the_one_that_does_not_get_well_is_named():
    daemon = Daemon("studio", "meta", wrong="studio")
    with Watch(daemon, every=0.01, patience=0.2) as watch, pytest.raises(FailedRunError, match=r"well: studio$"):
        watch.times()


def test_slow_stubs_leave_the_dev_stack_as_it_is_shipped_otherwise():
    shipped = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
    slow = delayed(shipped)
    assert shipped == yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())

    def limits(stack):
        return {s.name: s.resources.memory_mib for s in Plan(load(stack["config"], stack="dev")).services[SUPABASE]}

    assert limits(slow) == limits(shipped)
    assert slow["config"]["supastack:supabase"]["services"]["studio"] == {"env": {"STUB_DELAY": "5"}}
