"""`python -m toolchain.cluster up|down|status`: see command.py."""

import sys

from toolchain.announce import ToolchainError
from toolchain.cluster import command
from toolchain.context import Context

try:
    sys.exit(command.run(Context.of(), sys.argv[1:]))
except ToolchainError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(1)
