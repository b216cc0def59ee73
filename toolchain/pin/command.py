"""The command: which images a stack has, what their registries say, and what changes in its file."""

import difflib
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from toolchain.announce import note
from toolchain.context import Context
from toolchain.pin import manifests, stack_file
from toolchain.stack import describe
from toolchain.stack.config import config_file, no_file, tracked_path
from toolchain.stack.describe import Image


def run(context: Context) -> int:
    """Write the digests of a stack's images into its tracked file. Returns 0 where each image has its digest then, 1 else.

    Raises ToolchainError where the stack has no file, or its settings are not right.
    """
    path = tracked_path(context)
    if path is None:
        no_file(context)
    description = describe.finish(describe.start(context, config_file(context)))
    return pin(path, description.images)


def pin(path: Path, images: Sequence[Image], ask: Callable[[str], str] = manifests.digest) -> int:
    """The same for a file and the images of its stack; `ask` tells a reference's digest or raises manifests.Unanswered.

    An app's image is the user's own, and has its digest in its reference: what is to be written there is said, not written.
    """
    wanted, own, reasons = {}, {}, []
    for image in images:
        if image.kind != "registry":
            reasons.append(f"{image.role}: {image.reference} was built on this machine, and has no digest in any registry")
        elif "@" in image.reference and (".overrides." in image.setting or _of_app(image)):
            note(f"{image.role}: {image.setting} has a digest already")
        else:
            wanted[image.role] = image.reference
            if _of_app(image):
                own[image.role] = image.setting
    found, missed = _digests(wanted, ask)
    reasons += missed
    for role, setting in sorted(own.items()):
        if role in found:
            reasons.append(f"{role}: write the digest where the image is named, {setting}: {wanted[role]}@{found.pop(role)}")
    for reason in reasons:
        note(reason)
    if not found:
        note(f"nothing to write: {path.name} stays as it is")
        return 1 if reasons else 0
    old = path.read_text(encoding="utf-8")
    new = stack_file.with_digests(old, found)
    if new == old:
        note(f"{path.name} has them already: {len(found)} digest{'s' * (len(found) != 1)}")
    else:
        _write(path, new)
        sys.stdout.writelines(
            difflib.unified_diff(old.splitlines(keepends=True), new.splitlines(keepends=True), path.name, path.name)
        )
        note(f"{path.name}: {len(found)} digest{'s' * (len(found) != 1)} written")
    return 1 if reasons else 0


def _of_app(image: Image) -> bool:
    """Whether the stack's user names it himself: the release knows no such role."""
    return image.setting.partition(":")[2].startswith("apps.")


def _digests(wanted: dict[str, str], ask: Callable[[str], str]) -> tuple[dict[str, str], list[str]]:
    """What was learned, by role, and why the rest was not."""
    found, reasons = {}, []

    def one(role: str) -> tuple[str, str | manifests.Unanswered]:
        try:
            return role, ask(wanted[role])
        except manifests.Unanswered as error:
            return role, error

    with ThreadPoolExecutor(max_workers=8) as pool:
        for role, answer in pool.map(one, sorted(wanted)):
            if isinstance(answer, str):
                found[role] = answer
            else:
                reasons.append(f"{role}: no digest of {wanted[role]}: {answer}")
    return found, reasons


def _write(path: Path, text: str) -> None:
    """In one step, so that a file is never half of what it was."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.chmod(path.stat().st_mode & 0o777)
    os.replace(temporary, path)  # noqa: PTH105 - the same, and says what it is for
