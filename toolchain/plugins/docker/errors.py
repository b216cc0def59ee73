"""What can go wrong with the daemon, each as one clear sentence without a secret in it."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import docker.errors
import requests

from toolchain.plugins.common.errors import UserError

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"Bind for (\S+) failed: port is already allocated"),
        "port is already allocated: another container publishes {}; stop it or choose another port",
    ),
    (
        re.compile(r"listen \w+ (\S+): bind: address already in use"),
        "address already in use: another program listens on {}; stop it or choose another port",
    ),
    (
        re.compile(r"listen \w+ (\S+):\d+: bind: cannot assign requested address"),
        "this machine has no address {} to bind a port to; choose another ip",
    ),
    (
        re.compile(r"(no space left on device)"),
        "{}: the disk of Docker's data folder, or of a volume, is full; free some space",
    ),
)
"""What the daemon says of the common causes, and how that is said here."""


def sentence(error: Exception, secrets: Iterable[str] = ()) -> str:
    """What the daemon, or the way to it, says; secret texts are blanked out."""
    if isinstance(error, docker.errors.APIError):
        text = str(error.explanation or error)
    elif isinstance(error, requests.exceptions.Timeout):
        text = "the Docker daemon took too long to answer"
    elif isinstance(error, requests.exceptions.ConnectionError):
        text = "the connection to the Docker daemon broke"
    else:
        text = str(error)
    for pattern, said in _PATTERNS:
        found = pattern.search(text)
        if found:
            text = said.format(found[1])
            break
    return without(text, secrets)


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` with every one of `secrets` blanked out."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return " ".join(text.split())


def is_gone(error: Exception) -> bool:
    """Whether an error of a removal says that the thing is gone, or on its way out."""
    return isinstance(error, docker.errors.NotFound) or "is already in progress" in str(error)


@contextmanager
def explained(action: str, secrets: Iterable[str] = ()) -> Iterator[None]:
    """Turns what the SDK raises inside into a UserError that begins with `action`."""
    try:
        yield
    except (docker.errors.DockerException, requests.exceptions.RequestException, OSError) as error:
        raise UserError(f"{action}: {sentence(error, secrets)}") from error
