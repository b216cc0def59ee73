"""Properties of the settings, over configurations drawn from the declaration."""

import copy
import json
import random
from typing import Any

from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from components.setting_schema import SECRETS, all_fields, fields, size_text
from components.settings import Settings, SettingsError, load
from tests.unit.settings import declared, drawn, violating
from tests.unit.settings.declared import OWN_STORE, as_pulumi_hands_over, keyed, named, put
from tests.unit.settings.samples import HIDDEN

many = examples(max_examples=200, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
SECRET_KEYS = [f"supastack:{name}" for name in SECRETS]
VIOLATIONS = list(violating.violations())


def _load(config: dict[str, Any]) -> Settings:
    return load({**keyed(declared.secrets_for(config)), **config}, stack="dev", secret_keys=SECRET_KEYS)


def _leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if isinstance(value, dict):
        return {key: leaf for name, inner in value.items() for key, leaf in _leaves(inner, (*path, name)).items()}
    return {path: value}


@many
@given(drawn.valid_configs())
def test_valid_settings_are_accepted_alike_in_both_forms_and_kept_as_given(config: dict[str, Any]) -> None:
    settings = _load(keyed(copy.deepcopy(config)))
    assert settings == _load(as_pulumi_hands_over(config))
    for path, value in _leaves(config).items():
        if path[0] in settings.written and value != "auto":
            written = settings.given(path[0])
            for part in path[1:]:
                written = written[part]
            assert written == value
    assert settings.given("supabase").keys() >= {"enabled", "database", "auth", "services"}


@many
@given(drawn.valid_configs())
def test_what_is_left_out_has_its_default(config: dict[str, Any]) -> None:
    settings, default = _load(keyed(config)), _load({})
    cache = config.get("cache", {})
    for ours, theirs in (("engine", "engine"), ("evictionPolicy", "eviction_policy"), ("appendOnly", "append_only")):
        if ours not in cache:
            assert getattr(settings.cache, theirs) == getattr(default.cache, theirs)
    if "healthTimeout" not in config:
        assert settings.health_timeout == 180
    if "buckets" not in config.get("objectStorage", {}):
        assert settings.object_storage.buckets == ("app",)


@many
@given(st.randoms(use_true_random=False), st.integers(2, 6))
def test_several_violations_are_all_found_in_one_run(source: random.Random, count: int) -> None:
    chosen: list[violating.Violation] = []
    for violation in source.sample(VIOLATIONS, count * 3):
        apart = all(_apart(violation.path, other.path) for other in chosen)
        if apart and len(chosen) < count:
            chosen.append(violation)
    config = OWN_STORE
    for violation in chosen:
        config = put(config, violation.path, violation.value)
    try:
        _load(keyed(config))
    except SettingsError as error:
        found = {named(problem.path) for problem in error.problems}
    else:
        found = set()
    assert found == {named(violation.named) for violation in chosen}


def _apart(one: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    return one[: len(other)] != other and other[: len(one)] != one


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(list(fields())), inner, max_size=4),
    max_leaves=12,
)
names = st.sampled_from([field.path[-1] for field in all_fields()]) | st.text()


@many
@given(st.dictionaries(names, anything, max_size=5))
def test_whatever_is_given_is_accepted_or_refused_in_our_own_words(config: dict[str, Any]) -> None:
    for form in (keyed(config), {key: _json(value) for key, value in keyed(config).items()}):
        error = _error(form)
        if error is not None:
            assert error.problems
            assert all(problem.reason for problem in error.problems)
            # A kind of error that has no words of its own is sent to the docs.
            assert all(problem.fix not in ("", "see docs/settings.md") for problem in error.problems)


def _error(config: dict[str, Any], **more: Any) -> SettingsError | None:
    try:
        load(config, stack="dev", **more)
    except SettingsError as error:
        return error
    return None


def _json(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


@many
@given(st.sampled_from(SECRETS), st.text(max_size=150), st.booleans())
def test_no_text_of_a_secret_is_ever_shown(name: str, text: str, encrypted: bool) -> None:
    config, keys = {f"supastack:{name}": f"{HIDDEN}{text}"}, SECRET_KEYS if encrypted else []
    error = _error(config, secret_keys=keys)
    if error is not None:
        assert HIDDEN not in str(error) + repr(error.problems)
        assert error.__context__ is None, "an exception below would be printed with the value"
    else:
        assert encrypted
        found = load(config, stack="dev", secret_keys=keys)
        assert HIDDEN not in repr(found) + str(found)
        assert found.secrets[name].get_secret_value() == f"{HIDDEN}{text}"
        assert all(secret is None or HIDDEN not in repr(secret) for secret in found.supabase_secrets.values())


@many
@given(st.integers(1, 2**32))
def test_a_size_comes_back_as_it_was_written(number: int) -> None:
    from components.setting_values import bytes_of

    text = size_text(number * 1024)
    assert bytes_of(text) == bytes_of(text.upper()) == number * 1024
