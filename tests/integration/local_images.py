"""Local images in the cache, built beforehand: an isolated daemon has no network to build with."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.integration.daemon import Daemon


def build_missing(folder: Path, references: Sequence[str] | None = None, step: Any = None) -> list[str]:
    """Builds what the cache lacks, with a daemon of its own in `folder`. Returns the references of all that were asked for.

    Args:
        folder: Where that daemon keeps its data; it is removed at the end.
        references: Which images; None: all there are.
        step: Announces each step, as `toolchain.announce.step` does.
    """
    from toolchain import announce, images

    recipes = [r for r in images.available().values() if references is None or r.reference in references]
    missing = [recipe.reference for recipe in recipes if not images.is_cached(recipe)]
    if missing:
        builder = Daemon(folder, isolated=False)
        builder.start()
        try:
            images.ensure(missing, builder.host, step or announce.step)
        finally:
            builder.remove()
    return [recipe.reference for recipe in recipes]
