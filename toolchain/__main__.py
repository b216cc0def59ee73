"""`python -m toolchain <command>`: see toolchain/cli.py."""

import sys

from toolchain.cli import main

sys.exit(main(sys.argv[1:]))
