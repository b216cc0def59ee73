"""What is printed for Vercel's and GitHub's CLIs is read by their own readers as it was: npm's dotenv 4.0.0, Go's godotenv."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components import env_export
from components.env_export import Form
from tests.integration.env_files.test_readers import NASTY, slow

PROGRAM = """package main

import (
	"encoding/json"
	"os"

	"github.com/joho/godotenv"
)

func main() {
	values, err := godotenv.Parse(os.Stdin)
	if err != nil {
		panic(err)
	}
	json.NewEncoder(os.Stdout).Encode(values)
}
"""
MODULE = "module reads\n\ngo 1.21\n\nrequire github.com/joho/godotenv v1.5.1\n"
"""The version of gh (cli/cli, go.mod)."""
SUMS = """github.com/joho/godotenv v1.5.1 h1:7eLL/+HRGLY0ldzfGMeQkb7vMd0as4CfYvUVzLqw0N0=
github.com/joho/godotenv v1.5.1/go.mod h1:f4LDr5Voq0i2e/R5DDNOoa2zzDfwtkZa6DnEwAbqwq4=
"""
NODE = """
const reader = require(process.argv[1]);
process.stdout.write(JSON.stringify(reader.parse(require("fs").readFileSync(0, "utf8"))));
"""

Reader = Callable[[str], dict[str, str]]
nasty = st.text(st.sampled_from(NASTY) | st.characters(codec="utf-8"), max_size=10)


def writable(form: Form) -> st.SearchStrategy[str]:
    return nasty.filter(lambda value: bool(value) and not env_export.faults({"K": value}, form))


@pytest.fixture(scope="session")
def godotenv() -> Reader:
    """What gh reads."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    key = sha256((PROGRAM + MODULE + SUMS).encode()).hexdigest()[:16]
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "supastack" / f"env-readers-go-{key}"
    if not (folder / "reads").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in {"main.go": PROGRAM, "go.mod": MODULE, "go.sum": SUMS}.items():
            (folder / name).write_text(content)
        subprocess.run([go, "build", "-o", "reads", "."], cwd=folder, check=True, capture_output=True)

    def read(text: str) -> dict[str, str]:
        done = subprocess.run([folder / "reads"], input=text.encode(), check=True, capture_output=True)
        return dict(json.loads(done.stdout))

    return read


@pytest.fixture(scope="session")
def dotenv4(packages: Path) -> Reader:
    """What Vercel's CLI reads."""

    def read(text: str) -> dict[str, str]:
        command = ["node", "-e", NODE, "dotenv4"]
        env = {"PATH": os.environ["PATH"], "NODE_PATH": str(packages / "node_modules")}
        return dict(json.loads(subprocess.run(command, input=text.encode(), check=True, capture_output=True, env=env).stdout))

    return read


# Texts of 30 values each, since every one costs a process.
@slow
@given(st.lists(writable(Form.GITHUB_SECRETS), min_size=20, max_size=30))
def test_gh_reads_every_value_as_it_was(godotenv: Reader, values: list[str]):
    given_ = {f"K{n}": value for n, value in enumerate(values)}
    assert godotenv(env_export.rendered(given_, Form.GITHUB_SECRETS)) == given_


@slow
@given(st.lists(writable(Form.VERCEL), min_size=20, max_size=30))
def test_vercels_cli_reads_every_value_as_it_was_and_so_does_dotenv_of_today(dotenv4: Reader, node, values: list[str]):
    given_ = {f"K{n}": value for n, value in enumerate(values)}
    text = env_export.rendered(given_, Form.VERCEL)
    assert dotenv4(text) == given_
    (found,) = node.read([text])
    assert found["dotenv"] == given_
    assert found["dotenv16"] == given_


PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQ+/=\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize("value", [PEM, "p$WORD'q", 'a"b', "it's # so", "${HOME}", "a\\b", '{"keys":[{"kty":"oct"}]}'])
def test_usual_secrets_are_carried(godotenv: Reader, dotenv4: Reader, value: str):
    assert godotenv(env_export.rendered({"K": value}, Form.GITHUB_SECRETS)) == {"K": value}
    assert dotenv4(env_export.rendered({"K": value}, Form.VERCEL)) == {"K": value}
