"""Build local images by hand: `python -m toolchain.images postgres valkey ...`, `base` for the base alone, no name to list."""

import os
import sys

from toolchain.announce import ToolchainError, step
from toolchain.images import available, ensure, ensure_base


def main(names: list[str]) -> int:
    """Build the named images into the daemon of DOCKER_HOST. Returns the exit code."""
    recipes = available()
    unknown = [name for name in names if name != "base" and name not in recipes]
    if unknown:
        print(f"no such image: {', '.join(unknown)}. There are: base, {', '.join(recipes)}", file=sys.stderr)
        return 2
    if not names:
        for recipe in recipes.values():
            print(f"{recipe.reference:<40} {recipe.kind:<6} for {recipe.stands_for}\n{'':<41}{recipe.note}")
        return 0
    try:
        if "base" in names:
            ensure_base(step)
        ensure([recipes[name].reference for name in names if name != "base"], os.environ.get("DOCKER_HOST") or None, step)
    except ToolchainError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


sys.exit(main(sys.argv[1:]))
