"""What a setting declares beside its type, and the checks of single values.

A check takes the value as written, returns it as the program uses it, or raises Refused with the reason and the fix.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit


class Refused(ValueError):
    """A value that a setting can't take: why, and what to write instead. Neither text repeats the value.

    `hidden`: the value may hold a password or a key, and is not to be shown.
    """

    def __init__(self, reason: str, fix: str, *, hidden: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix
        self.hidden = hidden


@dataclass(frozen=True)
class Ciphertext:
    """Stands for a value that is encrypted and can't be read here."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is known of one setting: stands once, in the `Annotated` of its TypedDict field."""

    default: Any = None
    """As a user would write it. None: unset, which the description explains."""
    unit: str = ""
    minimum: int | None = None
    """Least number, bytes of a size, or items of a list."""
    maximum: int | None = None
    """The most of that."""
    check: Callable[[Any], Any] | None = None
    """For a value, or each item of a list or of a mapping."""
    key_check: Callable[[str], str] | None = None
    """For each key of a mapping whose keys the user chooses."""
    secret: bool = False
    """Accepted only when set with --secret, and never shown."""
    environment: bool = False
    """Whether it is a mapping of environment variables (`variables`)."""


def variables(*, key_check: Callable[[str], str], check: Callable[[str], str]) -> Setting:
    """Return a setting that holds environment variables by name: texts, and what counts as one (`variable_text`)."""
    return Setting(default={}, key_check=key_check, check=check, environment=True)


def variable_text(value: object) -> object:
    """Return the text that a true, a false or a whole number is in an environment; anything else as it is.

    `pulumi config set --path` stores such texts without quotes (Pulumi's sdk/go/common/resource/config, adjustObjectValue). From 2**53
    on a number on its way through JSON may be another than the written one.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) and abs(value) < 2**53 else value


_UNITS: Final = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40}


def bytes_of(text: str) -> int:
    """Return the bytes of a size such as "512mb" (kb, mb, gb, tb, in steps of 1024). Raises Refused."""
    found = re.fullmatch(r"([1-9][0-9]{0,11})(kb|mb|gb|tb)", text.lower(), re.ASCII)
    if not found:
        raise Refused("it is not a size", 'write a whole number and kb, mb, gb or tb, as in "512mb"')
    return int(found[1]) * _UNITS[found[2]]


def size_text(size: int) -> str:
    """Return bytes as a size of the largest unit that needs no fraction: 536870912 is "512mb"."""
    for unit, factor in reversed(_UNITS.items()):
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size} bytes"


def size(default: str | None = None, *, minimum: str, maximum: str = "4tb") -> Setting:
    """Return a setting that holds a size; the program gets it in bytes."""
    low, high = bytes_of(minimum), bytes_of(maximum)

    def check(text: str) -> int:
        value = bytes_of(text)
        if not low <= value <= high:
            raise Refused(f"it is outside {minimum} to {maximum}", f"give a size from {minimum} to {maximum}")
        return value

    return Setting(default=default, unit="size", minimum=low, maximum=high, check=check)


def ip_address(text: str) -> str:
    """Check an IPv4 or IPv6 address of this machine, without a zone."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise Refused(
            "it is not an IP address", "give the address to publish ports on: 127.0.0.1 keeps them on this machine"
        ) from None
    if getattr(address, "scope_id", None) or address.is_multicast or text == "255.255.255.255":
        raise Refused("a server can't be bound to such an address", "give a plain address of this machine, as 127.0.0.1")
    return str(address)


def bucket_name(text: str) -> str:
    """Check a bucket name by the S3 rules for general purpose buckets."""
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    fix = 'use 3 to 63 of a-z, 0-9, "-" and ".", beginning and ending with a letter or digit, as in "app-files"'
    if not 3 <= len(text) <= 63:
        raise Refused("a bucket name has 3 to 63 characters", fix)
    if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", text):
        raise Refused("it is not a bucket name by the S3 rules", fix)
    if ".." in text or re.fullmatch(r"[0-9]+(\.[0-9]+){3}", text):
        raise Refused('a bucket name has no two "." in a row and is not written like an IP address', fix)
    reserved = ("xn--", "sthree-", "amzn-s3-demo-"), ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an")
    if text.startswith(reserved[0]) or text.endswith(reserved[1]):
        raise Refused("S3 keeps names that begin or end like this for itself", fix)
    return text


def email(text: str) -> str:
    """Check that a text has the shape of one email address. Whether it exists only a mail can tell."""
    local, _, domain = text.rpartition("@")
    labels = domain.split(".")
    well_formed = (
        re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}", local)
        and not local.startswith(".")
        and not local.endswith(".")
        and ".." not in local
        and len(text) <= 254
        and len(labels) >= 2
        and all(re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", label) for label in labels)
    )
    if not well_formed:
        raise Refused("it is not an email address", 'write one address, as in "admin@example.com"')
    return text


def line_of_text(text: str) -> str:
    """Check a text for people: something to read, on one line."""
    if not text.strip() or text != text.strip():
        raise Refused("it is empty, or begins or ends with a space", "write a name")
    if not text.isprintable() or len(text) > 200:
        raise Refused("it has characters that can't be shown on one line, or over 200 of them", "write a shorter name")
    return text


def release_name(text: str) -> str:
    """Check the form of a release's name. Which releases there are, the releases' folder says."""
    if not re.fullmatch(r"20[0-9]{2}-(0[1-9]|1[0-2])", text):
        raise Refused("it is not the name of a release", 'write year and month, as in "2026-09"')
    return text


def app_name(text: str) -> str:
    """Check the name of an app that gets an env file."""
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,38}[a-z0-9]", text):
        raise Refused("it is not the name of an app", 'use a-z, 0-9 and "-", beginning with a letter, as in "nextjs"')
    return text


def file_path(text: str) -> str:
    """Check the path of a file to write: relative to the project's folder, or absolute."""
    if not text or text != text.strip() or not text.isprintable():
        raise Refused("it is empty, or has spaces around it or characters that can't be shown", 'write a path as ".env"')
    if text.startswith("~"):
        raise Refused('"~" is not replaced here', "write the whole path, or one relative to the project's folder")
    if text.endswith("/") or text.rsplit("/", 1)[-1] in (".", ".."):
        raise Refused("it is a folder", 'add the name of the file, as in "../shop/.env"')
    if len(text.encode()) > 1024 or any(len(part.encode()) > 255 for part in text.split("/")):
        raise Refused("it is longer than files' paths can be", "choose a shorter one")
    return text


def docker_host(text: str) -> str:
    """Check the address of a Docker daemon, in the form of DOCKER_HOST."""
    fix = 'write it as in DOCKER_HOST: "unix:///var/run/docker.sock" or "tcp://host:2376"; for another machine forward its socket by ssh'
    url, port_is_fine = _split(text)
    if url is None or url.scheme not in ("unix", "tcp", "npipe") or not port_is_fine:
        raise Refused("it is not the address of a Docker daemon", fix, hidden="@" in text)
    if url.password is not None:
        raise Refused("it holds a password", "use an SSH key: the password must be considered exposed", hidden=True)
    if (url.scheme == "tcp" and not url.hostname) or (url.scheme in ("unix", "npipe") and not url.path.strip("/")):
        raise Refused("it is not complete", fix, hidden="@" in text)
    return text


def socket_path(text: str) -> str:
    """Check the path of a socket: absolute, and none that Docker's notation of mounts would take apart."""
    if not re.fullmatch(r"/[^:\s]{1,106}", text) or not text.isprintable() or text.endswith("/"):
        raise Refused("it is not the path of a socket", 'write the whole path, as in "/run/user/1000/docker.sock"')
    return text


def http_url(text: str) -> str:
    """Check the address of an HTTP service: scheme, host and perhaps port and path; no user, query or fragment."""
    fix = 'write it as in "https://s3.eu-central-1.amazonaws.com"'
    if re.search(r"[@?#]", text):
        raise Refused("it holds more than an address (a user, password, query or fragment)", fix, hidden=True)
    url, port_is_fine = _split(text)
    if url is None or url.scheme not in ("http", "https") or not url.hostname or not port_is_fine:
        raise Refused("it is not an http or https address", fix)
    return text.rstrip("/")


def _split(text: str) -> tuple[SplitResult | None, bool]:
    """Return the parts of a URL, and whether its port can be one; None for what is none."""
    if not text.isascii() or not text.isprintable() or re.search(r"[\s\\<>\"]", text):
        return None, False
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        return None, False
    return url, port is None or port > 0


def stack_id(text: str) -> str:
    """Check the id of a stack."""
    if not re.fullmatch(r"[0-9a-f]{16}", text, re.ASCII):
        raise Refused("it is not the id of a stack", "write the 16 hex digits of the volume's label supastack.stack-id")
    return text


def region(text: str) -> str:
    """Check the name of an S3 region."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", text):
        raise Refused("it is not the name of a region", 'write it as the provider does, as in "us-east-1"')
    return text


def access_key(text: str) -> str:
    """Check an S3 access key id. At least 3 characters is MinIO's rule; the alphabet stays within a SigV4 header."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{3,128}", text):
        raise Refused("it is not an access key id", 'give 3 to 128 of A-Z, a-z, 0-9, "_" and "-"')
    return text


def database_name(text: str) -> str:
    """Check the name of a database: such that it needs quoting nowhere, and is none that the servers keep for themselves."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", text, re.ASCII):
        raise Refused(
            "it is not the name of a database", 'use up to 63 of a-z, 0-9 and "_", beginning with a letter, as in "app"'
        )
    if text in ("template0", "template1", "pgbouncer"):
        raise Refused("the servers keep that name for themselves", 'choose another, as "app"')
    return text


def duration(text: str) -> str:
    """Check a time limit in PostgreSQL's notation: a number and ms, s, min or h; "0" is no limit."""
    found = re.fullmatch(r"([1-9][0-9]{0,8})(ms|s|min|h)", text)
    factor = {"ms": 1, "s": 1000, "min": 60_000, "h": 3_600_000}
    # PostgreSQL keeps such limits as a signed 32 bit number of milliseconds.
    if text != "0" and (not found or int(found[1]) * factor[found[2]] > 2**31 - 1):
        raise Refused("it is not a time limit", 'write a number and ms, s, min or h, as in "30s"; "0" is no limit')
    return text


def _password(text: str, most_bytes: int) -> str:
    if any(not char.isprintable() for char in text):
        raise Refused("it has a line break, a tab, a NUL or another control character", "choose one on a single line")
    if len(text) < 8:
        raise Refused("it is shorter than 8 characters", "choose a longer one")
    if len(text.encode()) > most_bytes:
        raise Refused(f"it is longer than {most_bytes} bytes", "choose a shorter one")
    return text


def server_password(text: str) -> str:
    """Check a password of a server: 8 to 128 visible ASCII characters.

    Config files and URLs of several servers hold it; spaces and quotes are where their readers differ. PgBouncer and
    others read at most 128 bytes in older versions.
    """
    _password(text, 128)
    if not text.isascii() or re.search(r"[ '\"\\`]", text):
        raise Refused(
            "it has a character that the servers' files do not all read alike: a space, a quote, a backslash, or not ASCII",
            "use letters, digits and other visible ASCII characters",
        )
    return text


def person_password(text: str) -> str:
    """Check a password that a person types: 8 characters to 72 bytes, which is all that bcrypt reads (GoTrue uses it)."""
    return _password(text, 72)
