"""Every setting crossed with every kind of violation, as YAML reads it and as Pulumi hands it over."""

import json
from collections.abc import Iterator
from typing import Any, get_origin

import pytest

from components.setting_schema import SECRETS, all_fields, fields
from components.settings import Ciphertext, Settings, SettingsError, load
from tests.unit.settings import declared, violating
from tests.unit.settings.declared import EXTERNAL_STORE, OWN_STORE, SECRETS_GIVEN, keyed, named, put
from tests.unit.settings.samples import HIDDEN
from tests.unit.settings.violating import Violation

SECRET_KEYS = [f"supastack:{name}" for name in SECRETS]


def _settings(config: dict[str, Any], *, secret_keys: list[str] = SECRET_KEYS, secrets: dict[str, Any] | None = None) -> Settings:
    secrets = declared.secrets_for(config) if secrets is None else secrets
    return load({**keyed(secrets), **config}, stack="dev", secret_keys=secret_keys)


def _refused(config: dict[str, Any], **more: Any) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        _settings(config, **more)
    return caught.value


def _keys(error: SettingsError) -> set[str]:
    return {named(problem.path) for problem in error.problems}


def _bases() -> dict[str, dict[str, Any]]:
    return {"alone": {}, "own store": OWN_STORE, "external store": EXTERNAL_STORE}


def _cases() -> Iterator[tuple[str, Violation, dict[str, Any]]]:
    for number, violation in enumerate(violating.violations()):
        label = f"{named(violation.path)} {violation.what}"
        bases = list(_bases().items())
        if violation.path[0] != "objectStorage" and violation.path[:2] != ("supabase", "database"):
            bases = [bases[number % len(bases)]]  # there are many, and the bases differ in other things
        for base, config in bases:
            changed = put(config, violation.path, violation.value)
            if base == "own store" and changed[str(violation.path[0])] is not None:
                yield f"{label} {base} program", violation, declared.as_pulumi_hands_over(changed)
            else:
                yield f"{label} {base} yaml", violation, keyed(changed)


CASES = list(_cases())
SECRET_CASES = list(violating.secret_violations())


def test_every_check_of_texts_has_samples() -> None:
    lacking = [".".join(field.path) for field in all_fields() if declared.lacks_samples(field)]
    assert lacking == [], "add samples for their checks to a file in tests/unit/settings/samples"


def test_there_are_two_thousand_cases_and_some_for_every_setting() -> None:
    assert len(CASES) + len(SECRET_CASES) >= 2000
    tried = {named(violation.path) for _, violation, _ in CASES} | {named(violation.path) for violation in SECRET_CASES}
    assert tried == {named(declared.concrete(field.path)) for field in declared.known_fields()}


@pytest.mark.parametrize(("violation", "config"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_wrong_value_is_refused_under_its_own_key_and_no_other(violation: Violation, config: dict[str, Any]) -> None:
    error = _refused(config)
    assert _keys(error) == {named(violation.named)}
    for problem in error.problems:
        assert problem.reason
        assert problem.fix
        assert named(problem.path) in str(error)
    text = str(error) + repr(error.problems)
    assert not any(secret in text for secret in declared.leaves(SECRETS_GIVEN))
    if violation.what == "an unknown name" or "://" in str(violation.value):
        assert HIDDEN not in text, "a mistyped secret, or a password in an address, is shown"


@pytest.mark.parametrize("violation", SECRET_CASES, ids=lambda violation: f"{named(violation.path)} {violation.what}")
@pytest.mark.parametrize("base", ["alone", "external store"])
def test_a_wrong_secret_is_refused_and_not_shown(violation: Violation, base: str) -> None:
    config = put(keyed(_bases()[base]), (named(violation.path),), violation.value)
    error = _refused(config)
    assert _keys(error) == {named(violation.named)}
    text = str(error) + repr(error.problems)
    assert HIDDEN[:7] not in text
    assert "x" * 100 not in text


@pytest.mark.parametrize("value", [f"{HIDDEN}-1", 12345678, 1234.5678, True, [HIDDEN], {"a": HIDDEN}, f'{{"a": "{HIDDEN}"}}'])
@pytest.mark.parametrize("base", _bases())
@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_plain_text_is_refused_with_the_command_to_run_and_is_called_exposed(
    name: str, base: str, value: Any
) -> None:
    config = {**keyed(_bases()[base]), named((name,)): value}
    error = _refused(config, secret_keys=[key for key in SECRET_KEYS if key != named((name,))])
    inside = ("a",) if get_origin(fields()[name].type) is dict and "a" in str(value) else ()
    assert _keys(error) == {named((name, *inside))}
    text = str(error) + repr(error.problems)
    at = f"--path 'supastack:{name}.a'" if inside else f"supastack:{name}"
    assert f"pulumi config set --secret {at} --stack dev" in text
    assert "exposed" in text
    assert HIDDEN not in text
    assert "5678" not in text


@pytest.mark.parametrize("name", SECRETS)
def test_an_empty_default_of_the_engine_is_no_secret_in_plain_text(name: str) -> None:
    for empty in ("", "{}", {}) if get_origin(fields()[name].type) is dict else ("",):
        settings = _settings({}, secrets={name: empty}, secret_keys=[])
        assert not settings.secrets


PLAIN_FIELDS = [field for field in declared.known_fields() if not field.setting.secret]


@pytest.mark.parametrize("field", PLAIN_FIELDS, ids=lambda field: ".".join(field.path))
def test_a_setting_that_is_no_secret_is_refused_when_it_is_encrypted(field: Any) -> None:
    path = declared.concrete(field.path)
    error = _refused(keyed(put(OWN_STORE, path, Ciphertext())))
    assert _keys(error) == {named(path)}
    # A program is told only which of the keys at the top hold something encrypted.
    config = declared.as_pulumi_hands_over(OWN_STORE)
    error = _refused(config, secret_keys=[*SECRET_KEYS, named(path[:1])])
    assert _keys(error) == {named(path[:1])}
    assert all(problem.value is None for problem in error.problems)


@pytest.mark.parametrize("field", PLAIN_FIELDS, ids=lambda field: ".".join(field.path))
def test_the_full_configuration_has_every_setting(field: Any) -> None:
    if declared.concrete(field.path) in declared.NOT_BESIDE:
        return
    place: Any = EXTERNAL_STORE if field.path == ("objectStorage", "endpoint") else OWN_STORE
    for part in declared.concrete(field.path):
        place = place[part]
    assert place is not None


@pytest.mark.parametrize("base", _bases())
def test_the_full_configurations_are_accepted_in_both_forms(base: str) -> None:
    config = _bases()[base]
    assert _settings(keyed(config)) == _settings(declared.as_pulumi_hands_over(config))


@pytest.mark.parametrize("name", fields())
def test_a_mistyped_name_at_the_top_gets_the_nearest_one_and_its_value_is_not_shown(name: str) -> None:
    for wrong in (f"{name}s", name[:-1], name.upper(), f"{name[0]}_{name[1:]}"):
        if wrong in fields():
            continue
        error = _refused({named((wrong,)): f"{HIDDEN} of a mistyped name"})
        assert _keys(error) == {named((wrong,))}
        assert f"did you mean '{name}'?" in str(error)
        assert HIDDEN not in str(error) + repr(error.problems)


def test_a_name_like_no_other_gets_the_list_of_all() -> None:
    error = _refused({"supastack:zzzzzz": "1"})
    assert "did you mean" not in str(error)
    assert all(name in str(error) for name in fields())


def test_all_problems_are_reported_at_once_and_sorted() -> None:
    config = {
        "supastack:target": "dokcer",
        "supastack:instance": "0",
        "supastack:adminPassword": HIDDEN,
        "supastack:cache": json.dumps({"memory": "12mb", "maxMemory": "lots", "engin": "redis"}),
        "supastack:objectStorage": json.dumps({"buckets": ["A", "app"], "engine": "external"}),
        "supastack:healthTimout": "5",
        "supstack:instance": "1",
    }
    with pytest.raises(SettingsError) as caught:
        load(config, stack="dev")
    lines = [line.split(" = ")[0].strip() for line in str(caught.value).splitlines() if line.startswith("  s")]
    assert lines == [
        "supastack:adminPassword",
        "supastack:cache.engin",
        "supastack:cache.maxMemory",
        "supastack:cache.memory",
        "supastack:healthTimout",
        "supastack:instance",
        "supastack:objectStorage.accessKey",
        "supastack:objectStorage.buckets[0]",
        "supastack:objectStorage.endpoint",
        "supastack:objectStorageSecretKey",
        "supastack:target",
        "supstack:instance",
    ]
    assert str(caught.value).startswith("12 settings are not right in stack dev")
    assert HIDDEN not in str(caught.value)


def test_a_problem_is_printed_with_value_reason_and_fix() -> None:
    assert str(_refused({"supastack:cache": {"maxMemory": "much"}})) == (
        "one setting is not right in stack dev; nothing has been touched.\n"
        "\n"
        '  supastack:cache.maxMemory = "much"\n'
        "    why: it is not a size\n"
        '    fix: write a whole number and kb, mb, gb or tb, as in "512mb"'
    )
