"""Where the tests of EnvFile's provider work: a folder of their own, and an engine that remembers what was said."""

import pytest

from components import env_file


@pytest.fixture
def project(tmp_path, monkeypatch):
    """The folder of Pulumi.yaml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def said(monkeypatch):
    """What the user was told."""
    lines = []
    monkeypatch.setattr(env_file, "say", lines.append)
    monkeypatch.setattr("sys.tracebacklimit", 1000, raising=False)
    return lines
