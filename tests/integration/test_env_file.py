"""EnvFile under a real engine: created, unchanged, updated, drifted, repaired, removed; and no secret anywhere on the way."""

import base64
import json
import os
import shutil
import stat
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.clone_root import ROOT

pytestmark = pytest.mark.engine

NAME = "Ann O'Neil"
PASSWORD = "hush/Hush+hush hush"
DATABASE = "postgresql://u:psstPsst-thatNobodyHears@127.0.0.1/db"
LATER = "later-Later-value"
EDIT = "mine-Mine-mine"
VALUES = {"INSTANCE_ID": "1", "ADMIN_NAME": NAME, "ADMIN_PASSWORD": PASSWORD, "DATABASE_URL": DATABASE}
SECRETS = (PASSWORD, "psstPsst-thatNobodyHears", LATER, EDIT)

PROGRAM = '''
import json
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider
from components import env_files
from components.env_file import EnvFile
from components.env_files import Own

class Provider(ResourceProvider):
    """A value that no first preview knows, as a generated password is."""
    def create(self, props):
        return CreateResult("later", {"result": props["wanted"]})

class Later(Resource):
    result: pulumi.Output[str]
    def __init__(self, name, wanted):
        opts = pulumi.ResourceOptions(additional_secret_outputs=["result"])
        super().__init__(Provider(), name, {"wanted": pulumi.Output.secret(wanted), "result": None}, opts)

given = json.load(open("given.json"))
values = {k: pulumi.Output.secret(v) if k in given["secret"] else v for k, v in given["values"].items()}
if given["later"]:
    values["SETUP_PASSWORD"] = Later("later", given["later"]).result
app = env_files.template(given["app"], Own(variables=given["own"], groups={}))
EnvFile("file", app=app, path=given["path"], fmt=given["fmt"], overwrite=given["overwrite"], values=values)
'''


class Project:
    """A program with one EnvFile, its stack, and all that was ever said about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.file = self.folder / ".env"
        self.state = folder / "state"
        self.said = ""
        self.folder.mkdir()
        self.state.mkdir()
        (self.folder / "components").symlink_to(ROOT / "components")
        (self.folder / "Pulumi.yaml").write_text("name: envtest\nruntime: python\n")
        (self.folder / "__main__.py").write_text(PROGRAM)
        (folder / "passphrase").write_text("for tests only")
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PULUMI_")}
        self.env = {
            **kept,
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.state}",
            "PULUMI_CONFIG_PASSPHRASE_FILE": str(folder / "passphrase"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self.give()
        self.pulumi("stack", "init", "dev")

    def give(self, **over: Any) -> None:
        """What the program is given from now on; values are added to, others replaced."""
        values = {**({} if "app" in over else VALUES), **over.pop("values", {})}
        usual = {"app": "nextjs", "own": {}, "path": ".env", "fmt": "dotenv", "overwrite": False, "later": None, "secret": []}
        given = {**usual, **over, "values": values}
        (self.folder / "given.json").write_text(json.dumps(given))

    def pulumi(self, *arguments: str, code: int = 0) -> str:
        """Run it; both outputs together, remembered."""
        command = ["pulumi", *arguments, "--non-interactive"]
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.said += done.stdout
        assert done.returncode == code, done.stdout
        return done.stdout

    def preview(self, *arguments: str) -> str:
        """A preview with its details."""
        return self.pulumi("preview", "--diff", *arguments)

    def up(self, *arguments: str) -> dict[str, int]:
        """Deploy; how many resources were created, updated, ..., the stack itself among them."""
        self.pulumi("up", "--yes", "--skip-preview", "--diff", *arguments)
        newest = max((self.state / ".pulumi/history/envtest/dev").glob("*.history.json"))
        steps: dict[str, int] = json.loads(newest.read_text())["resourceChanges"]
        return {op: n for op, n in steps.items() if op != "same"}

    def resource(self) -> dict[str, Any]:
        """The file as the raw state has it."""
        text = (self.state / ".pulumi/stacks/envtest/dev.json").read_text()
        resources = json.loads(text)["checkpoint"]["latest"]["resources"]
        (found,) = [r for r in resources if r["urn"].endswith("::file")]
        return dict(found)

    def edit(self, old: str, new: str) -> None:
        """As by hand."""
        before = self.file.read_text()
        assert old in before
        self.file.write_text(before.replace(old, new))

    def sourced(self) -> dict[str, str]:
        """What a shell finds in the file."""
        done = subprocess.run(
            ["bash", "-c", "set -a; . ./.env; env -0"],
            cwd=self.folder,
            capture_output=True,
            check=True,
            env={"PATH": os.environ["PATH"]},
        )
        return dict(entry.partition("=")[::2] for entry in done.stdout.decode().split("\0") if entry)

    def leaks(self) -> list[str]:
        """Each secret found, in any form, in what was said or in what the backend holds."""
        places = {"said": self.said.encode()}
        places |= {str(p): p.read_bytes() for p in self.state.rglob("*") if p.is_file()}
        found = []
        for secret in SECRETS:
            forms = {
                secret.encode(),
                quote(secret, safe="").encode(),
                json.dumps(secret)[1:-1].encode(),
                secret.encode().hex().encode(),
            }
            # Of base64 the middle is the same wherever the secret stands in what was encoded.
            forms |= {base64.b64encode(b"x" * shift + secret.encode())[4:-4] for shift in range(3)}
            found += [f"{secret} in {place}" for place, content in places.items() if any(form in content for form in forms)]
        return found


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    if shutil.which("pulumi") is None:
        pytest.fail("the Pulumi engine is not on PATH: run the tests by `make test`, which sets it up")
    project = Project(tmp_path)
    yield project
    # Whatever a test did: nothing secret was said or kept in clear.
    assert project.leaks() == []


def test_the_search_for_leaks_finds_a_leak_in_each_form(project):
    for form in (
        PASSWORD,
        quote(PASSWORD, safe=""),
        base64.b64encode(f"ab{PASSWORD}cd".encode()).decode(),
        PASSWORD.encode().hex(),
    ):
        project.said = f"x{form}y"
        assert project.leaks() == [f"{PASSWORD} in said"]
    project.said = ""
    (project.state / "leak").write_text(json.dumps({"value": EDIT}))
    assert project.leaks() == [f"{EDIT} in {project.state / 'leak'}"]
    (project.state / "leak").unlink()


def test_from_the_first_preview_to_the_end(project):
    text = project.preview()
    assert "+ pulumi-python:dynamic/supastack:EnvFile: (create)" in text
    assert "ADMIN_PASSWORD: [secret]" in text
    assert not project.file.exists()

    assert project.up() == {"create": 2}
    assert project.sourced().items() >= VALUES.items()
    assert stat.S_IMODE(project.file.stat().st_mode) == 0o600

    written = project.file.stat()
    assert project.up() == {}
    assert project.up("--refresh") == {}
    project.pulumi("preview", "--refresh", "--expect-no-changes")
    assert (project.file.stat().st_ino, project.file.stat().st_mtime_ns) == (written.st_ino, written.st_mtime_ns)

    project.pulumi("destroy", "--yes", "--skip-preview")
    assert sorted(p.name for p in project.folder.glob(".env*")) == []


def test_a_changed_value_is_one_update_that_shows_the_key(project):
    project.up()
    project.give(values={"ADMIN_NAME": "Bob"})
    assert 'ADMIN_NAME    : "Ann O\'Neil" => "Bob"' in project.preview()
    assert project.up() == {"update": 1}
    assert project.sourced()["ADMIN_NAME"] == "Bob"
    assert not list(project.folder.glob(".env.*"))


def test_a_changed_secret_is_one_update_that_shows_the_key_and_not_the_value(project):
    project.up()
    project.give(values={"ADMIN_PASSWORD": LATER})
    text = project.preview()
    # The other forms are searched for leaks with all that was said.
    project.pulumi("preview")
    project.pulumi("preview", "--json")
    assert "~ ADMIN_PASSWORD: 1 => 2" in text
    assert "DATABASE_URL  : 1\n" in text
    assert project.up() == {"update": 1}
    assert project.sourced()["ADMIN_PASSWORD"] == LATER


def test_a_value_that_is_not_known_yet_does_not_stop_the_preview(project):
    project.give(later=LATER)
    assert "SETUP_PASSWORD: [secret]" in project.preview() or "SETUP_PASSWORD: output<string>" in project.preview()
    assert project.up() == {"create": 3}
    assert project.sourced()["SETUP_PASSWORD"] == LATER
    assert project.up() == {}


def test_a_key_that_appears_later_is_an_update(project):
    project.up()
    project.give(later=LATER)
    assert "SETUP_PASSWORD" in project.preview()
    assert project.up() == {"create": 1, "update": 1}
    assert project.sourced()["SETUP_PASSWORD"] == LATER


def test_the_state_keeps_each_secret_by_itself_and_encrypted(project):
    # A secret output for a variable that is none, too.
    project.give(secret=["ADMIN_NAME"], later=LATER)
    project.up()
    for properties in (project.resource()["inputs"], project.resource()["outputs"]):
        values = properties["values"]
        assert {key for key, value in values.items() if "ciphertext" in value} == VALUES.keys() - {"INSTANCE_ID"} | {
            "SETUP_PASSWORD"
        }
        assert values["INSTANCE_ID"] == "1"
        assert properties["path"] == ".env"


def test_a_refresh_keeps_what_is_secret_secret(project):
    project.give(secret=["ADMIN_NAME"], later=LATER)
    project.up()
    project.edit(DATABASE, EDIT)
    project.file.chmod(0o644)
    project.pulumi("refresh", "--preview-only", "--diff")
    project.pulumi("refresh", "--yes", "--skip-preview", "--diff")
    for properties in (project.resource()["inputs"], project.resource()["outputs"]):
        assert properties["drift"] == ["mode 0644", "DATABASE_URL changed"]
        assert {key for key, value in properties["values"].items() if value == "1"} == {"INSTANCE_ID"}
    assert project.up() == {"update": 1}


def test_a_removed_file_is_seen_by_refresh_and_made_again(project):
    project.up()
    project.file.unlink()
    assert "(create)" in project.preview("--refresh")
    assert project.up("--refresh")["create"] == 1
    assert project.sourced().items() >= VALUES.items()


def test_an_edited_file_is_seen_by_refresh_and_put_right_and_the_edit_is_kept(project):
    project.up()
    project.edit(f"'{PASSWORD}'", EDIT)
    project.file.chmod(0o644)
    edited = project.file.read_text()
    text = project.preview("--refresh")
    assert '"ADMIN_PASSWORD changed"' in text
    assert '"mode 0644"' in text
    assert project.up("--refresh")["update"] == 1
    assert ".env was not as Supastack wrote it; what it held is kept as .env.bak" in project.said
    assert project.sourced()["ADMIN_PASSWORD"] == PASSWORD
    assert stat.S_IMODE(project.file.stat().st_mode) == 0o600
    assert (project.folder / ".env.bak").read_text() == edited
    assert project.up("--refresh") == {}


def test_a_file_of_someone_else_is_refused_in_preview_and_up_and_left_alone(project):
    project.file.write_text("MINE=1\n")
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        text = project.pulumi(*command, code=1)
        assert "is not this stack's: it was not written by Supastack" in text
        assert "pulumi config set --path supastack:envFiles.nextjs.overwrite true" in text
    assert project.file.read_text() == "MINE=1\n"
    project.give(overwrite=True)
    project.up()
    assert project.sourced().items() >= VALUES.items()
    assert (project.folder / ".env.bak").read_text() == "MINE=1\n"


def test_a_value_that_cannot_be_written_is_refused_in_preview_without_the_value(project):
    project.give(values={"ADMIN_PASSWORD": f"{LATER}$HOME"})
    text = project.pulumi("preview", code=1)
    assert "envFiles.nextjs: ADMIN_PASSWORD can't be written in the format dotenv" in text
    assert not project.file.exists()


def test_another_path_moves_the_file(project):
    project.up()
    project.give(path="moved.env")
    assert '".env" => "moved.env"' in project.preview()
    assert project.up() == {"update": 1}
    assert (project.folder / "moved.env").exists()
    assert not project.file.exists()


def test_the_docker_format_is_unquoted(project):
    project.give(fmt="docker")
    project.up()
    assert f"ADMIN_NAME={NAME}\nDATABASE_URL" in project.file.read_text().replace(
        "\n\n# The database itself, without a pooler in between", ""
    )


def test_a_failure_while_writing_is_one_clear_line_and_the_next_up_repairs(project):
    # The draft's place is taken by what can't be removed: the one failure that is the same for root.
    (project.folder / ".env.supastack-draft").mkdir()
    text = project.pulumi("up", "--yes", "--skip-preview", code=1)
    assert "envFiles.nextjs:" in text
    assert "can't be written: Is a directory" in text
    assert "Traceback" not in text
    (project.folder / ".env.supastack-draft").rmdir()
    assert project.up() == {"create": 1}


def test_destroy_leaves_alone_what_is_not_ours_any_more(project):
    project.up()
    project.file.write_text("MINE=1\n")
    text = project.pulumi("destroy", "--yes", "--skip-preview")
    assert "it was left alone" in text
    assert project.file.read_text() == "MINE=1\n"


def test_an_engine_killed_after_the_file_was_made_and_before_the_state_was_written_leaves_a_file_that_is_taken_over(project):
    project.up()
    # The same as a lost state: the file is there, the state does not know it.
    project.pulumi("state", "delete", project.resource()["urn"], "--yes")
    assert project.up() == {"create": 1}
    assert project.up() == {}
    assert not list(project.folder.glob(".env.*"))


def test_an_app_of_the_users_own_is_written_changed_and_repaired_though_the_provider_knows_no_settings(project):
    own = {"URL": "${API_URL}", "TOKEN": "${SERVICE_ROLE_KEY}"}
    project.give(app="shop", own=own, values={"URL": "http://h", "TOKEN": PASSWORD})
    project.up()
    assert project.sourced().items() >= {"URL": "http://h", "TOKEN": PASSWORD}.items()
    project.give(app="shop", own={**own, "MORE": "x"}, values={"URL": "http://h", "TOKEN": PASSWORD, "MORE": "x"})
    assert project.up() == {"update": 1}
    assert project.sourced()["MORE"] == "x"
    project.edit("MORE=x", "MORE=y")
    assert '"MORE changed"' in project.preview("--refresh")
    assert project.up("--refresh")["update"] == 1
    assert project.up("--refresh") == {}


def test_the_clis_config_is_toml_that_is_seen_edited_and_put_right(project):
    (project.folder / "supabase").mkdir()
    values = {"project_id": "ref", "api.port": "54321", "api.schemas": '["public","a b"]'}
    project.give(app="supabase-cli", path="supabase/config.toml", fmt="toml", values=values)
    project.up()
    file = project.folder / "supabase/config.toml"
    found = {"project_id": "ref", "api": {"port": 54321, "schemas": ["public", "a b"]}}
    assert tomllib.loads(file.read_text()) == found
    assert project.up("--refresh") == {}
    file.write_text(file.read_text().replace("54321", "1"))
    assert '"api.port changed"' in project.preview("--refresh")
    assert project.up("--refresh")["update"] == 1
    assert tomllib.loads(file.read_text()) == found
