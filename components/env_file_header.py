"""The first lines of an env file of ours: whose it is, and a checksum that tells whether a hand has been at the rest."""

import re
from dataclasses import dataclass
from hashlib import sha256

from components.env_format import Format

_HEADER = re.compile(
    rb"# Managed by Supastack[^\n]*\n"
    rb"# project=(\S+) stack=(\S+) app=(\S+) format=(dotenv|docker|toml) sha256=([0-9a-f]{64})\n"
)


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a file is."""

    project: str
    stack: str
    app: str

    def __str__(self) -> str:
        return f"the app {self.app} of stack {self.stack} of project {self.project}"


@dataclass(frozen=True, slots=True)
class Header:
    """What the first lines say, and whether the rest is still what was written.

    Attributes:
        owner: Whose the file is.
        format: How its values are written.
        edited: The rest is not what the checksum was made of.
    """

    owner: Owner
    format: Format
    edited: bool


def parse(content: bytes) -> Header | None:
    """The header of a file; None when it has none of ours."""
    found = _HEADER.match(content)
    if found is None:
        return None
    project, stack, app, fmt, checksum = (part.decode(errors="replace") for part in found.groups())
    edited = sha256(content[found.end() :]).hexdigest() != checksum
    return Header(Owner(project, stack, app), Format(fmt), edited)


def put(owner: Owner, fmt: str, body: bytes) -> bytes:
    """A whole file: the header for a body, and the body."""
    return (
        "# Managed by Supastack. Do not edit: the next `pulumi up` puts back what stands here.\n"
        f"# project={owner.project} stack={owner.stack} app={owner.app} format={fmt} sha256={sha256(body).hexdigest()}\n"
    ).encode() + body
