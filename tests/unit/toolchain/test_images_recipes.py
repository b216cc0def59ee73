"""Recipes of local images: references, hashes, what they say; without a daemon."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from toolchain.announce import ToolchainError
from toolchain.images import available, recipes

NAMES = sorted(available())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the recipes, to be changed."""
    copy = tmp_path / "toolchain" / "images"
    shutil.copytree(recipes.FOLDER, copy, ignore=shutil.ignore_patterns("__pycache__", "go.sum"))
    monkeypatch.setattr(recipes, "FOLDER", copy)
    return copy


def test_all_images_of_this_issue_have_a_recipe() -> None:
    wanted = {"postgres", "valkey", "redis", "pgbouncer", "minio", "envoy", "mailpit", "imgproxy", "stub"}
    wanted |= {"postgres-plain", "postgres-meta", "redis-commander"}
    assert wanted <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_complete(name: str) -> None:
    recipe = available()[name]
    assert recipe.reference == f"supastack.local/{name}:{recipe.tag}"
    assert recipe.kind == ("stub" if name == "stub" else "local")
    inside = dict(recipe.context_files())
    assert {"Dockerfile", "recipe.yaml"} <= inside.keys()
    assert all(path.is_file() for path in inside.values())
    if recipe.go:
        assert {"go.mod", "go.sum"} <= inside.keys()
    if recipe.wheel:
        assert re.search(r"==\S+ --hash=sha256:[0-9a-f]{64}$", inside["requirements.txt"].read_text().strip())
    if recipe.jar:
        assert re.fullmatch(r"[\w.-]+:[\w.-]+:[\d.]+", recipe.jar.artifact)
        assert re.fullmatch(r"[0-9a-f]{64}", recipe.jar.sha256)


@pytest.mark.parametrize("name", [name for name in NAMES if available()[name].npm])
def test_npm_packages_are_pinned_by_hash_and_name_no_registry(name: str) -> None:
    inside = dict(available()[name].context_files())
    wanted = json.loads(inside["package.json"].read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
    locked = json.loads(inside["package-lock.json"].read_text())["packages"]
    assert locked.pop("")["dependencies"] == wanted
    assert locked
    for path, package in locked.items():
        assert re.match(r"sha512-", package["integrity"]), path
        assert "resolved" not in package, path


@pytest.mark.parametrize("name", NAMES)
def test_a_dockerfile_starts_from_the_base_and_leaves_no_package_lists(name: str) -> None:
    text = (recipes.FOLDER / name / "Dockerfile").read_text()
    assert set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) == {"${BASE}"}
    final = text[text.rindex("FROM ") :]
    assert final.count("apt-get update") == final.count("/var/lib/apt/lists/*")
    # What would stay in a layer for everybody to read.
    assert not re.search(r"(?i)(ARG|ENV)\s+\S*(PASSWORD|SECRET|TOKEN)(?!_FILE)", text)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: (f / "postgres/Dockerfile").open("a").write("# more\n"),
        lambda f: (f / "postgres/initdb.d/migrations/20-new.sql").write_text("select 1;"),
        lambda f: (f / "postgres/initdb.d/migrations/00-extension.sql").rename(f / "postgres/initdb.d/migrations/01.sql"),
        lambda f: (f / "shared/postgres-entrypoint.sh").chmod(0o644),
    ],
)
def test_every_change_of_a_recipe_changes_its_inputs(folder: Path, change: Callable[[Path], object]) -> None:
    before = recipes.load("postgres").inputs
    assert recipes.load("postgres").inputs == before
    change(folder)
    assert recipes.load("postgres").inputs != before


def test_a_shared_file_is_an_input_of_those_who_use_it_only(folder: Path) -> None:
    before = {name: recipes.load(name).inputs for name in ("valkey", "redis", "postgres", "stub")}
    (folder / "shared" / "cache-entrypoint.sh").write_text("#!/bin/sh\n")
    after = {name: recipes.load(name).inputs for name in before}
    assert [name for name in before if before[name] != after[name]] == ["valkey", "redis"]


def test_another_base_is_another_image(monkeypatch: pytest.MonkeyPatch) -> None:
    before = recipes.load("stub").inputs
    monkeypatch.setattr(recipes, "SUITE", "forky")
    assert recipes.load("stub").inputs != before


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("docker.io/library/redis:8", "a local image is written supastack.local/<name>:<tag>"),
        ("supastack.local/redis", "a local image is written supastack.local/<name>:<tag>"),
        ("supastack.local/a/b:1", "a local image is written supastack.local/<name>:<tag>"),
        ("supastack.local/seaweedfs:4", "there is no recipe toolchain/images/seaweedfs"),
        ("supastack.local/shared:1", "there is no recipe toolchain/images/shared"),
        ("supastack.local/redis:7", "the recipe makes supastack.local/redis:8.0"),
    ],
)
def test_a_reference_that_no_recipe_makes_is_refused(reference: str, says: str) -> None:
    with pytest.raises(ToolchainError, match=re.escape(says)):
        recipes.of_references(["supastack.local/stub:1", reference])


def test_a_reference_asked_for_twice_is_made_once() -> None:
    twice = ["supastack.local/stub:1", "supastack.local/postgres:17", "supastack.local/stub:1"]
    assert [r.name for r in recipes.of_references(twice)] == ["stub", "postgres"]


def test_all_problems_of_a_recipe_are_told_at_once(folder: Path) -> None:
    (folder / "stub" / "recipe.yaml").write_text("tag: 1\nkind: fake\nstandsFor: x\nnot: known\n")
    with pytest.raises(ToolchainError) as error:
        recipes.load("stub")
    for part in ("unknown key 'not'", "tag must be a text", "note must be a text", "kind must be local or stub"):
        assert part in str(error.value)
