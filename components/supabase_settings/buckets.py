"""Settings of Storage's buckets and of who may do what in them."""

import re
from enum import Enum
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Refused, Setting, size


class PolicyCommand(str, Enum):
    """What a policy is for, in PostgreSQL's words."""

    ALL = "all"
    SELECT = "select"
    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


def storage_bucket_name(text: str) -> str:
    """Check the name of a bucket of Storage."""
    # Storage allows more (src/storage/limits.ts: what is safe in S3 keys); these need quoting nowhere. 63: its buckets_name_length_check.
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", text, re.ASCII):
        raise Refused("it is not the name of a bucket", 'use up to 63 letters, digits, "_", "-" and ".", as in "avatars"')
    return text


def policy_name(text: str) -> str:
    """Check the name of a policy: any text on one line that PostgreSQL keeps whole."""
    if not text.strip() or text != text.strip() or not text.isprintable() or len(text.encode()) > 63:
        raise Refused("it is not the name of a policy", 'write up to 63 bytes on one line, as in "Users can upload"')
    return text


def role_name(text: str) -> str:
    """Check the name of a database role; `public` stands for all."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", text, re.ASCII):
        raise Refused("it is not the name of a role", 'write it as the database does, as in "authenticated"')
    return text


def mime_type(text: str) -> str:
    """Check a MIME type; `image/*` stands for all of a kind."""
    if not re.fullmatch(r"[a-z]+/(\*|[A-Za-z0-9][A-Za-z0-9.+_-]*)", text, re.ASCII) or len(text) > 127:
        raise Refused("it is not a MIME type", 'write it as in "image/png", or "image/*" for all images')
    return text


def condition(text: str) -> str:
    """Check a condition in SQL: one expression that is closed in itself. Whether the database understands it only that can tell."""
    fix = 'write one SQL expression that is true or false, as in "owner_id = (select auth.uid()::text)"'
    if not text.strip() or "\0" in text or len(text) > 5000:
        raise Refused("it is empty, or too long for a condition", fix)
    # What is quoted can hold anything; what is not must not end or hide what stands around it.
    bare = re.sub(r"""'(?:[^']|'')*'|"(?:[^"]|"")*\"""", " q ", text)
    if re.search(r"""['"\\;$]|--|/\*|\*/""", bare) or re.search(r"(?i)(?<![a-z0-9_])(?:e|u&|b|x) q ", bare):
        raise Refused("it has a quote that is not closed, a comment, or another thing that can't stand in a condition", fix)
    depth = 0
    for char in bare:
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth < 0:
            break
    if depth:
        raise Refused("its parentheses do not match", fix)
    return text


@declared
class PolicySettings(TypedDict):
    """Who may do what with the objects of one bucket: a policy on storage.objects that holds for this bucket alone."""

    command: NotRequired[Annotated[PolicyCommand, Setting(default="all")]]
    """What it is for."""
    roles: NotRequired[Annotated[list[str], Setting(default=["authenticated"], minimum=1, maximum=20, check=role_name)]]
    """Whom it is for; `public` is everybody."""
    using: NotRequired[Annotated[str, Setting(check=condition)]]
    """Condition for objects that are there, in SQL; not for `insert`. Unset: every object of the bucket."""
    withCheck: NotRequired[Annotated[str, Setting(check=condition)]]
    """Condition for objects as they are written, in SQL; for `insert`, `update` and `all`. Unset: as `using`."""


@declared
class BucketSettings(TypedDict):
    """A bucket of Storage."""

    public: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether everybody can read what is in it."""
    fileSizeLimit: NotRequired[Annotated[str, size(minimum="1kb")]]
    """Largest file in it. Unset: `storage.fileSizeLimit`, which counts in any case."""
    allowedMimeTypes: NotRequired[Annotated[list[str], Setting(minimum=1, maximum=100, check=mime_type)]]
    """Kinds of files that may be in it. Unset: any."""
    policies: NotRequired[Annotated[dict[str, PolicySettings], Setting(default={}, key_check=policy_name)]]
    """Who may do what in it, by the policy's name, which no other bucket's has. One taken off the list is dropped."""
