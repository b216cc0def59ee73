"""Puts the shim and the file to be sourced into the private folder."""

import os
import shlex
from pathlib import Path

from toolchain.context import Context
from toolchain.setup.folders import write_private
from toolchain.stack.engine import Engine

_SOURCE = """\
# Made by `make activate`. After `. {file}` plain `pulumi` works on this clone (sh, bash, zsh).
if [ -z "${{SUPASTACK_OLD_PATH+x}}" ]; then SUPASTACK_OLD_PATH=$PATH; fi
export SUPASTACK_STACK={stack}
export PATH={bin}:{venv}:"$SUPASTACK_OLD_PATH"
supastack_deactivate() {{
    PATH=$SUPASTACK_OLD_PATH
    export PATH
    unset SUPASTACK_OLD_PATH SUPASTACK_STACK
    unset -f supastack_deactivate
}}
hash -r 2>/dev/null || true
"""


def install(context: Context) -> Path:
    """Install both, make the context's stack the selected one, and return the file to be sourced."""
    folder = context.private / "bin"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    shim = folder / "pulumi"
    temporary = folder / ".pulumi.new"
    temporary.unlink(missing_ok=True)
    # Relative, so that the clone can be moved.
    temporary.symlink_to(os.path.relpath(context.root / "toolchain" / "shim" / "pulumi", folder))
    temporary.replace(shim)
    file = context.private / "activate"
    write_private(
        file,
        _SOURCE.format(
            file=shlex.quote(str(file)),
            stack=shlex.quote(context.stack),
            bin=shlex.quote(str(folder)),
            venv=shlex.quote(str(context.venv_bin)),
        ),
    )
    Engine(context).select()
    return file
