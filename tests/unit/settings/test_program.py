"""The settings in the program itself, under a mocked engine."""

import runpy
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pulumi
import pytest
from pulumi.runtime import config as runtime_config

from components.settings import ROOT, Settings, load
from tests.unit.settings import declared, violating
from tests.unit.settings.declared import OWN_STORE, SECRETS_GIVEN, as_pulumi_hands_over, named, put

SECRET_KEYS = [f"supastack:{name}" for name in SECRETS_GIVEN]
FIRST = list({violation.path[:-1] or violation.path: violation for violation in violating.violations()}.values())
"""One of each group."""


@pytest.fixture(autouse=True)
def _config_is_put_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS"):
        monkeypatch.delenv(name, raising=False)
    values, secret = runtime_config.CONFIG.get(), runtime_config._SECRET_KEYS.get()
    yield
    runtime_config.CONFIG.set(values)
    runtime_config._SECRET_KEYS.set(secret)


def _load_in_program(values: dict[str, str], secret_keys: list[str]) -> Settings:
    pulumi.runtime.set_all_config(values, secret_keys)
    return load(pulumi.Config("supastack"), stack="dev")


def test_a_program_gets_what_a_mapping_gives() -> None:
    values = as_pulumi_hands_over({**declared.secrets_for(OWN_STORE), **OWN_STORE})
    assert _load_in_program(values, SECRET_KEYS) == load(values, stack="dev", secret_keys=SECRET_KEYS)


def test_a_program_knows_which_keys_are_encrypted_from_the_engine() -> None:
    given = declared.secrets_for({})
    values = as_pulumi_hands_over(given)
    found = _load_in_program(values, SECRET_KEYS).secrets
    assert found["adminPassword"].get_secret_value() == SECRETS_GIVEN["adminPassword"]
    assert found["functionSecrets.STRIPE_KEY"].get_secret_value() == SECRETS_GIVEN["functionSecrets"]["STRIPE_KEY"]
    with pytest.raises(Exception, match=f"{len(declared.leaves(given))} settings are not right"):
        _load_in_program(values, [])


def test_a_program_sees_keys_that_no_one_asks_for() -> None:
    with pytest.raises(Exception, match=r"supastack:instanse"):
        _load_in_program({"supastack:instanse": "1"}, [])


@pytest.mark.skipif(not (ROOT / "__main__.py").exists(), reason="there is no program yet")
@pytest.mark.parametrize("violation", FIRST, ids=lambda violation: named(violation.path))
def test_a_wrong_setting_ends_the_program_before_it_registers_anything(
    violation: violating.Violation, engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    values = put(OWN_STORE, violation.path, violation.value)
    said: list[str] = []

    def program() -> None:
        # Set here: the mocks run a program in a context of its own.
        pulumi.runtime.set_all_config(as_pulumi_hands_over({**SECRETS_GIVEN, **values}), SECRET_KEYS)
        with pytest.raises(pulumi.RunError) as caught:
            runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
        said.append(str(caught.value))

    recorder = copy_context().run(engine, program)
    assert len(said) == 1
    assert named(violation.named) in said[0]
    assert not [secret for secret in declared.leaves(SECRETS_GIVEN) if secret in said[0]]
    assert [request for request in recorder.requests.values() if request.type != "pulumi:pulumi:Stack"] == []
