"""A probe of `components.checks`: whether every env file could be written, before anything else of a deployment is touched.

`EnvFile` refuses the same, but only when its turn comes, at the end of an `up`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from components.env_file import objections


def before(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:  # noqa: ARG001 - the same in both
    """What stands against writing the files.

    Args:
        parameters: `project`, `stack`, and `files`: a list of `app`, `path`, `format`, `overwrite` and `values`, the last as far
            as it is known.
        preview: Makes no difference.
    """
    found: list[str] = []
    for file in parameters["files"]:
        known = {key: value for key, value in file["values"].items() if value is not None}
        found += objections({**file, "values": known, "project": parameters["project"], "stack": parameters["stack"]})
    return found


def paired(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:  # noqa: ARG001 - files have no pair
    """Nothing."""
    return ()


def after(parameters: Mapping[str, Any], *, preview: bool) -> Sequence[str]:  # noqa: ARG001 - refresh looks at files
    """Nothing."""
    return ()
