"""Asks a registry for the digest of an image's tag.

The protocol is that of the OCI distribution specification ("Pulling manifests"), the token that of Docker's registry documentation ("Token
authentication"). Registries are asked without a login: images that need one are named, and left as they are.
"""

import hashlib
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from typing import Final

from toolchain.announce import ToolchainError

SECONDS: Final = 10.0
"""How long one request may take."""
_HUB: Final = {"docker.io": "registry-1.docker.io", "index.docker.io": "registry-1.docker.io"}
_TYPES: Final = (
    # Of many platforms first: the digest must be good for every node.
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_MOST_BYTES: Final = 4 * 2**20
"""Least size of a manifest that a registry must take (OCI distribution specification); larger ones are not read."""


class Unanswered(ToolchainError):
    """A registry did not tell a digest. The text says which and why."""


@dataclass(frozen=True)
class Name:
    """An image in its registry."""

    host: str
    path: str
    tag: str

    @staticmethod
    def of(reference: str) -> "Name":
        """The parts of a full reference, as the release and the settings have them; its digest is left out.

        Raises Unanswered where it has no tag to ask for.
        """
        plain = reference.partition("@")[0]
        host, _, rest = plain.partition("/")
        path, _, tag = rest.rpartition(":")
        if not path or "/" in tag:
            raise Unanswered(f"{reference} has no tag to ask for")
        return Name(host, path, tag)

    @property
    def base(self) -> str:
        """Address of the registry's API. Plain http only on this machine, as Docker has it."""
        host = _HUB.get(self.host, self.host)
        local = host.partition(":")[0] in ("localhost", "127.0.0.1")
        return f"{'http' if local else 'https'}://{host}/v2"


def digest(reference: str) -> str:
    """The digest of a reference's tag. Raises Unanswered."""
    name = Name.of(reference)
    url = f"{name.base}/{name.path}/manifests/{urllib.parse.quote(name.tag)}"
    found, challenge = _ask(url, "HEAD", None)
    token = None
    if challenge is not None:
        token = _token(name, challenge)
        found, challenge = _ask(url, "HEAD", token)
    if challenge is not None:
        raise Unanswered(f"{name.host} wants a login for {name.path}")
    if found is None:
        # Not every registry says it in the head: it is what the manifest hashes to.
        found, _ = _ask(url, "GET", token)
    if found is None or not _DIGEST.fullmatch(found):
        raise Unanswered(f"{name.host} answers for {name.path}:{name.tag}, but tells no digest")
    return found


def _ask(url: str, method: str, token: str | None) -> tuple[str | None, str | None]:
    """The digest, if it is told, and what the registry asks for where it wants a token."""
    headers = {"Accept": ", ".join(_TYPES), "User-Agent": "supastack", **({"Authorization": f"Bearer {token}"} if token else {})}
    host = urllib.parse.urlsplit(url).netloc
    try:
        request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310 - made from a checked reference
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            told = response.headers.get("Docker-Content-Digest")
            if method == "HEAD":
                return told, None
            content = response.read(_MOST_BYTES + 1)
            made = f"sha256:{hashlib.sha256(content).hexdigest()}"
            if len(content) > _MOST_BYTES or (told is not None and told != made):
                raise Unanswered(f"{host} tells a digest that is not that of its manifest")
            return made, None
    except urllib.error.HTTPError as error:
        if error.code == 401:
            return None, error.headers.get("WWW-Authenticate") or ""
        raise Unanswered(f"{host} answers {error.code} for {urllib.parse.urlsplit(url).path}") from None
    except (OSError, ValueError) as error:
        raise Unanswered(f"{host} can't be reached: {getattr(error, 'reason', error)}") from None


def _token(name: Name, challenge: str) -> str:
    """A token for reading one image, that anybody gets. Raises Unanswered."""
    scheme, _, rest = challenge.partition(" ")
    told = dict(re.findall(r'(\w+)="([^"]*)"', rest))
    realm = told.get("realm", "")
    if scheme.lower() != "bearer" or not realm.startswith(
        "https://" if name.base.startswith("https://") else ("https://", "http://")
    ):
        raise Unanswered(f"{name.host} wants a login for {name.path}")
    asked = urllib.parse.urlencode({"service": told.get("service", ""), "scope": f"repository:{name.path}:pull"})
    try:
        request = urllib.request.Request(f"{realm}?{asked}", headers={"User-Agent": "supastack"})  # noqa: S310
        with urllib.request.urlopen(request, timeout=SECONDS) as response:  # noqa: S310
            answer = json.loads(response.read(_MOST_BYTES))
        return str(answer.get("token") or answer["access_token"])
    except urllib.error.HTTPError as error:
        raise Unanswered(f"{name.host} gives no token for {name.path}: {error.code}") from None
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise Unanswered(f"{name.host} gives no token for {name.path}: {error}") from None
