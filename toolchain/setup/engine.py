"""The Pulumi engine to use: one on PATH, the official download, or the build from Go modules, in this order."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from toolchain import pins
from toolchain.announce import fail, note, step, verbose
from toolchain.context import Context
from toolchain.setup import engine_build, engine_download

_LANGUAGE_HOST = "pulumi-language-python"


def ensure(context: Context) -> Context:
    """The context with an engine that exists. Raises ToolchainError if none can be had."""
    candidate = _on_path(context)
    recorded = _read_record(context)
    if recorded and recorded.get("candidate") == _fingerprint(candidate) and _is_engine(Path(recorded["pulumi"])):
        return context.with_engine(Path(recorded["pulumi"]))
    pulumi = _choose(context, candidate)
    record = {"pulumi": str(pulumi), "candidate": _fingerprint(candidate), "pins": _pins(context)}
    (context.private / "engine.json").write_text(json.dumps(record, indent=1) + "\n")
    return context.with_engine(pulumi)


def _choose(context: Context, candidate: Path | None) -> Path:
    if candidate:
        problem = _problem(candidate)
        if problem is None:
            with step("engine", f"use {candidate}, already on PATH"):
                return candidate
        note(f"engine: {candidate} is not used: {problem}")
    downloaded = engine_download.folder(context)
    if downloaded and downloaded.exists():
        return downloaded / "pulumi" / "pulumi"
    built = engine_build.folder(context)
    if built.exists():
        if verbose():
            note(f"engine: {built / 'pulumi'}, built before")
        return built / "pulumi"
    with step("engine", "look for pulumi at get.pulumi.com") as current:
        offered = engine_download.is_offered()
        if not offered:
            current.done(f"{engine_download.why_not()}: no official download of pulumi")
    if offered:
        return engine_download.download(context)
    no_go = engine_build.go_problem()
    if no_go:
        published = downloaded is not None
        fail(
            f"there is no Pulumi engine, and none can be had:\n"
            f"  - on PATH: {'none' if candidate is None else f'{candidate}: {_problem(candidate)}'}\n"
            f"  - the official download: {engine_download.why_not()}{' (behind a proxy, set HTTPS_PROXY)' if published else ''}\n"
            f"  - a build from its Go module: {no_go}\n"
            f"  Any one will do: install Pulumi {pins.ENGINE_FLOOR} or newer and put it on PATH,"
            f"{' make get.pulumi.com reachable,' if published else ''} or install Go {pins.GO_FLOOR} or newer."
        )
    return engine_build.build(context)


def _on_path(context: Context) -> Path | None:
    """The first `pulumi` on the user's PATH that is not one of ours (an activated shell has those on it).

    The one of another clone's activated shell is none either: it would work on that clone's stacks.
    """
    ours = (context.root.resolve(), context.cache.resolve())
    for entry in os.environ.get("PATH", "").split(os.pathsep):
        found = shutil.which("pulumi", path=entry) if entry else None
        if found and Path(found).parent.parent.name == context.private.name:
            continue
        if found and not any(Path(found).resolve().is_relative_to(own) for own in ours):
            return Path(found).absolute()
    return None


def _problem(pulumi: Path) -> str | None:
    """Why this engine can't be used, or None."""
    env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run([pulumi, "version"], env=env, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return "it does not run"
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", done.stdout)
    if done.returncode != 0 or not found:
        return "it does not tell its version"
    if pins.version_tuple(found[0]) < pins.version_tuple(pins.ENGINE_FLOOR):
        return f"it is {found[0]}, and {pins.ENGINE_FLOOR} or newer is needed"
    if not (pulumi.resolve().parent / _LANGUAGE_HOST).exists() and shutil.which(_LANGUAGE_HOST) is None:
        return f"it has no {_LANGUAGE_HOST} beside it or on PATH"
    return None


def _pins(context: Context) -> list[str]:
    return [pins.ENGINE_FLOOR, pins.ENGINE_DOWNLOAD, engine_build.folder(context).name]


def _is_engine(pulumi: Path) -> bool:
    return os.access(pulumi, os.X_OK)


def _fingerprint(pulumi: Path | None) -> list[str | int] | None:
    """Tells whether the engine on PATH is still the one that was looked at."""
    if pulumi is None:
        return None
    about = pulumi.stat()
    return [str(pulumi), about.st_mtime_ns, about.st_size]


def _read_record(context: Context) -> dict[str, Any] | None:
    try:
        record = json.loads((context.private / "engine.json").read_text())
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("pins") == _pins(context) and "pulumi" in record else None
