"""What is made from the declaration is up to date, and says what the engine accepts."""

from pathlib import Path

import pytest
import yaml

from components import setting_docs
from components.setting_declared import DECLARED
from components.setting_schema import all_fields, default_of, fields
from components.setting_types import StackSettings
from components.settings import ROOT, load

PROJECT = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())


def test_all_files_hold_what_the_declaration_says() -> None:
    assert setting_docs.renew(ROOT, write=False) == [], "run: python -m components.settings --write"
    assert {path.name for path in setting_docs.renewed(ROOT)} >= {"Pulumi.yaml", "settings.md"}


def test_a_change_of_the_declaration_is_noticed_and_written(tmp_path: Path) -> None:
    for name in ("Pulumi.yaml", "docs/settings.md"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text((ROOT / name).read_text().replace("Where the stack runs.", "Something else."))
    (tmp_path / "README.md").write_text("# Project\n\n<!-- settings:begin -->\nan older table\n<!-- settings:end -->\n\nmore\n")
    stale = [Path("Pulumi.yaml"), Path("docs/settings.md"), Path("README.md")]
    assert setting_docs.renew(tmp_path, write=False) == stale
    assert setting_docs.renew(tmp_path, write=True) == stale
    assert setting_docs.renew(tmp_path, write=False) == []
    assert (tmp_path / "Pulumi.yaml").read_text() == (ROOT / "Pulumi.yaml").read_text()
    readme = (tmp_path / "README.md").read_text()
    assert setting_docs.overview_table() in readme
    assert "an older table" not in readme
    assert readme.endswith("more\n")


@pytest.mark.parametrize("text", ["", "a\nb\n", "b\na\n", "a\na\nb\n", "a\nb\nb\n", "a\n"])
def test_only_a_file_with_one_pair_of_markers_is_changed(text: str) -> None:
    if text == "a\nb\n":
        assert setting_docs.put_between(text, ("a", "b"), "x\n") == "a\nx\nb\n"
    else:
        with pytest.raises(ValueError, match="expected one line"):
            setting_docs.put_between(text, ("a", "b"), "x\n")


def test_the_schema_has_every_setting_with_a_default_since_the_engine_takes_others_for_required() -> None:
    assert PROJECT["config"].keys() == fields().keys()
    for name, entry in PROJECT["config"].items():
        assert entry["description"], name
        assert "default" in entry, name
        assert "secret" not in entry, f"{name}: the engine would refuse its plain default"


def test_groups_have_no_defaults_in_the_schema_but_stand_in_the_docs() -> None:
    assert PROJECT["config"]["supabase"] == {"type": "object", "description": "The Supabase stack.", "default": {}}
    assert PROJECT["config"]["functionSecrets"]["default"] == {}
    assert PROJECT["config"]["envFiles"]["default"] == {"nextjs": {}}, "{} would mean none"


def test_the_schemas_defaults_are_the_settings_of_a_stack_that_says_nothing() -> None:
    given = {f"supastack:{name}": entry["default"] for name, entry in PROJECT["config"].items()}
    assert load(given, stack="dev") == load({}, stack="dev")


def test_the_project_is_refreshed_before_each_update() -> None:
    assert PROJECT["name"] == "supastack"
    assert PROJECT["runtime"] == {"name": "python", "options": {"toolchain": "pip", "virtualenv": ".venv"}}
    assert PROJECT["options"] == {"refresh": "always"}


def test_the_tables_have_a_line_for_every_value() -> None:
    lines = [line for line in setting_docs.settings_tables().splitlines() if line.startswith("| `")]
    values = [field for field in all_fields() if field.group is None]
    assert len(lines) == len(set(lines)) == len(values)
    assert all(line.count(" | ") == 3 for line in lines), "a text with a bar in it breaks the table"


def test_every_group_with_values_has_a_table_of_its_own_and_the_secrets_have_one() -> None:
    headings = [line for line in setting_docs.settings_tables().splitlines() if line.startswith("### ")]
    assert len(headings) == len(set(headings))
    assert {"### The stack", "### `supabase.auth`", "### `supabase.services.<service>`", "### Secrets"} <= set(headings)


def test_the_overview_names_every_setting_at_the_top() -> None:
    text = setting_docs.overview_table()
    assert all(f"`{name}`" in text for name in fields())
    assert len(text.splitlines()) < 80


def test_every_setting_has_a_description_of_its_own() -> None:
    for field in all_fields():
        text = setting_docs.description(field)
        assert text.endswith("."), field.path
        assert "\n" not in text, field.path


def test_components_can_take_the_declared_types_as_args() -> None:
    """Pulumi's component analyzer reads plain annotations, and the texts under them."""
    from pulumi.provider.experimental.analyzer import Analyzer

    analyzer = Analyzer("supastack")
    for owner in DECLARED:
        properties, _ = analyzer.analyze_type(owner, is_component_output=False)
        assert properties.keys() == fields(owner).keys()
        for name, found in properties.items():
            assert found.optional, (owner, name)
            assert found.description, (owner, name)


def test_defaults_are_accepted_by_the_settings_they_belong_to() -> None:
    written = {f"supastack:{name}": value for name, value in default_of(StackSettings).items()}
    assert load(written, stack="dev") == load({}, stack="dev")
