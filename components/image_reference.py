"""References of images, as Docker reads them: `host/path:tag@digest`.

The rules are those of the reference grammar of the OCI distribution project (github.com/distribution/reference): the first
part is a host if it has a dot or a colon or is `localhost`; without a host it is Docker Hub's, and there a name of one part
belongs to `library/`.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

_HUB: Final = "docker.io"
_HOST: Final = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?"
_PART: Final = r"[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*"
_PATH: Final = rf"{_PART}(?:/{_PART})*"
_TAG: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST: Final = r"sha256:[0-9a-f]{64}"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """An image reference in its parts."""

    host: str
    """Registry, with its port; `docker.io` where none is written."""
    path: str
    """Name in the registry; with `library/` where Docker Hub implies it."""
    tag: str | None = None
    digest: str | None = None

    def __str__(self) -> str:
        """The full reference."""
        return f"{self.host}/{self.path}" + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def _is_host(text: str) -> bool:
    return bool(re.fullmatch(_HOST, text)) and ("." in text or ":" in text or text == "localhost")


def parse(text: str) -> ImageReference:
    """The reference in its parts.

    Raises:
        ValueError: it is none.
    """
    first, slash, rest = text.partition("/")
    host, name = (first, rest) if slash and _is_host(first) else (_HUB, text)
    found = re.fullmatch(rf"(?P<path>{_PATH})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?", name)
    if not found:
        raise ValueError("it is not the reference of an image, as in docker.io/supabase/gotrue:v2.196.0")
    path = found["path"]
    if host == _HUB and "/" not in path:
        path = f"library/{path}"
    return ImageReference(host, path, found["tag"], found["digest"])


def mirror(text: str) -> str:
    """The address of a mirror: a host, and perhaps a path that stands before every name; no slash at the end.

    Raises:
        ValueError: it is none.
    """
    host, slash, path = text.removesuffix("/").partition("/")
    if not _is_host(host):
        raise ValueError("it does not begin with the host of a registry; write it as in mirror.example.com/hub, without https://")
    if slash and not re.fullmatch(_PATH, path):
        raise ValueError("its path can't stand before an image's name; write it as in mirror.example.com/hub")
    return text.removesuffix("/")


def mirrored(text: str, at: str) -> str:
    """The image behind a mirror: the mirror's address takes the place of the registry's host, the rest stays as it is.

    `docker.io/supabase/gotrue:v1` at `mirror.example.com/hub` is `mirror.example.com/hub/supabase/gotrue:v1`, and `redis:8` is
    `mirror.example.com/hub/library/redis:8`. The host is dropped, not kept as a folder: a mirror of several registries must
    serve them under one path. A digest stays, since it is the content's.

    Raises:
        ValueError: one of both is malformed.
    """
    host, _, path = mirror(at).partition("/")
    image = parse(text)
    return str(replace(image, host=host, path="/".join(filter(None, (path, image.path)))))


def with_digest(text: str, digest: str) -> str:
    """The reference with a digest, which then decides; the tag stays, for people.

    Raises:
        ValueError: one of both is malformed, or the reference has another digest already.
    """
    image = parse(text)
    if not re.fullmatch(_DIGEST, digest):
        raise ValueError("it is not a digest: write sha256: and 64 hex digits, as the registry shows it")
    if image.digest not in (None, digest):
        raise ValueError("the image's reference names another digest already: give one of them")
    return str(replace(image, digest=digest))
