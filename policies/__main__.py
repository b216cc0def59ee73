"""Two things by the same name, as Pulumi's command line wants it.

`python -m policies [--write]` renews the table in docs/policies.md, or says that it is out of date. Run by Pulumi
(`--policy-pack policies`) this is the policy pack.
"""

import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _documents(arguments: list[str]) -> int:
    from policies.documents import DOCUMENT, renew

    write = arguments == ["--write"]
    if arguments and not write:
        print("usage: python -m policies [--write]", file=sys.stderr)
        return 2
    changed = renew(_HERE.parent, write=write)
    if changed:
        print(f"{'written' if write else 'out of date'}: {DOCUMENT}")
    return 1 if changed and not write else 0


def _pack() -> None:
    # Run as a folder, this is no package: its modules would be found by names that others have.
    sys.path[:] = [str(_HERE.parent), *(path for path in sys.path if Path(path or ".").resolve() != _HERE)]
    from policies.pack import serve

    serve(_HERE.parent)


if __name__ == "__main__":
    if __package__ == "policies":
        sys.exit(_documents(sys.argv[1:]))
    _pack()
