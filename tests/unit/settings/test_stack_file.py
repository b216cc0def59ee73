"""Stack files read as the engine reads them."""

import json
from pathlib import Path
from typing import Any

import pytest

from components.settings import Ciphertext, SettingsError, load_file
from components.stack_file import StackFileError, read

# What engine 3.258 handed to a program (PULUMI_CONFIG) for the text beside it.
AS_THE_ENGINE = [
    ("yes", '"yes"'),
    ("on", '"on"'),
    ("y", '"y"'),
    ("TRUE", "true"),
    ("True", "true"),
    ("~", "null"),
    ("null", "null"),
    ("1.50", "1.5"),
    ("0x10", "16"),
    ("1_000", "1000"),
    ("010", "8"),
    ("0o10", "8"),
    ("1e3", "1000"),
    (".5", "0.5"),
    ('"5"', '"5"'),
    ("12:30:00", '"12:30:00"'),
    ("08", "8"),
    ("0o9", '"0o9"'),
    ("-0x1f", "-31"),
    ("0b11", "3"),
    ("+5", "5"),
    ("1.", "1"),
    ("TrUe", '"TrUe"'),
    ("09.5", "9.5"),
]


@pytest.mark.parametrize(("text", "seen"), AS_THE_ENGINE)
def test_a_value_is_what_the_engine_takes_it_for(text: str, seen: str) -> None:
    assert read(f"config:\n  supastack:x: {{value: {text}}}") == {"supastack:x": {"value": json.loads(seen)}}


@pytest.mark.parametrize("text", ["2026-09", "2026-09-01", "no", "off", "v1", "1.2.3", "0b", "0x", "_1", "e1"])
def test_a_text_without_quotes_stays_a_text(text: str) -> None:
    assert read(f"config:\n  a: {text}") == {"a": text}


def test_what_is_encrypted_is_marked_wherever_it_stands() -> None:
    text = "config:\n  a: {secure: v1:x:y}\n  b: {c: {secure: v1:z}, d: [{secure: v1}, 1]}\n  e: {secure: v1, more: 1}\n"
    assert read(text) == {"a": Ciphertext(), "b": {"c": Ciphertext(), "d": [Ciphertext(), 1]}, "e": {"secure": "v1", "more": 1}}


@pytest.mark.parametrize("text", ["", "encryptionsalt: v1:x\n", "config:\n", "config: {}\n", "# nothing\n"])
def test_a_file_without_settings_has_none(text: str) -> None:
    assert read(text) == {}


@pytest.mark.parametrize(
    "text",
    [
        *("config: [", "config: [1]", "config: text", "- a", "text", "config: {a: 1, a: 2}", "config: {a: {b: 1, b: 2}}", "\0"),
        *(
            "config: {a: !!python/object/apply:os.getcwd []}",
            "config: &a {b: *a}",
            "config: {? [a] : b}",
            "a: b: c",
            "config: {a: 'hunter2",
        ),
    ],
)
def test_what_is_no_stack_file_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(StackFileError) as caught:
        read(text)
    assert "hunter2" not in str(caught.value)
    assert "os.getcwd" not in str(caught.value)


def test_a_stack_file_gives_settings_without_its_secrets_being_decrypted(tmp_path: Path) -> None:
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text(
        "encryptionsalt: v1:x\n"
        "config:\n"
        "  supastack:instance: 2\n"
        "  supastack:release: 2026-09\n"
        "  supastack:ports: auto\n"
        "  supastack:cache: {appendFsync: no, enabled: true}\n"
        "  supastack:adminPassword:\n"
        "    secure: v1:abc\n"
    )
    settings = load_file(path, stack="dev", root=tmp_path)
    assert settings.instance == 2
    assert settings.cache.append_fsync.value == "no"
    assert settings.secrets == {}
    assert settings.env_files["nextjs"].path == tmp_path / ".env.dev"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("config:\n  supastack:adminPassword: hunter2hunter2\n", ["supastack:adminPassword"]),
        ("config:\n  supastack:cache: {enabled: yes}\n", ["supastack:cache.enabled"]),
        ("config:\n  supastack:cache:\n  supastack:instance:\n", ["supastack:cache", "supastack:instance"]),
        ("config:\n  supastack:objectStorage: {buckets: [{secure: v1}]}\n", ["supastack:objectStorage.buckets[0]"]),
        ("config: [\n", ["supastack:"]),
    ],
)
def test_problems_of_a_stack_file_are_named_by_key(tmp_path: Path, text: str, keys: list[str]) -> None:
    path = tmp_path / "Pulumi.dev.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_file(path, stack="dev")
    named: list[Any] = [line.split(" = ")[0].strip() for line in str(caught.value).splitlines() if line.startswith("  s")]
    assert named == keys
    assert "hunter2" not in str(caught.value)
