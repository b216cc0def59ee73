"""What the services of a Supabase stack are made from. Every module of a service has one function from a `Context` to a `Service`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.releases import Release
from components.service import File, Resources, Text, text


@dataclass(frozen=True, kw_only=True, slots=True)
class Urls:
    """Where clients reach the stack; no slash at the end."""

    api: str
    """The gateway: SUPABASE_PUBLIC_URL."""
    studio: str
    """Studio, behind the gateway's guard."""
    site: str
    """The app: SITE_URL."""

    def auth(self, *, with_path: bool) -> str:
        """API_EXTERNAL_URL: since upstream's 0.7.0 with /auth/v1."""
        return f"{self.api}/auth/v1" if with_path else self.api


@dataclass(frozen=True, kw_only=True, slots=True)
class S3:
    """An S3 store for the files of Storage. Its keys are the secrets `s3-access-key` and `s3-secret-key`."""

    endpoint: str
    """Its address as the stack's services reach it: scheme, host and perhaps port."""
    bucket: str
    region: str
    external: bool = False
    """Whether others run it; else it is the stack's own capability `s3`."""
    authority: str | None = None
    """Certificate of the authority that signed its own, as PEM text; None: one that everybody trusts."""

    def trusted(self, variable: str) -> tuple[dict[str, Text], tuple[File, ...]]:
        """What makes a service trust it: the variable that names the authority's file, and the file."""
        if self.authority is None:
            return {}, ()
        path = "/etc/supastack/store-authority.pem"
        return {variable: text(path)}, (File(path, text(self.authority)),)


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """What a service of a Supabase stack is made from.

    Attributes:
        release: Images and what they can do.
        settings: The completed `supabase` group: sizes in bytes, choices as their Enum.
        running: Names of the services that run (`auth`, `rest` ...).
        secrets: Names of all secrets there are, also those that only a user can give.
        urls: Where clients reach the stack.
        project_ref: The stack's reference, as a hosted project's: letters and digits.
        s3: The store that the settings choose for Storage's files; None: files on a volume.
        root: Folder that relative paths in the settings start from.
    """

    release: Release
    settings: Mapping[str, Any]
    running: frozenset[str]
    secrets: frozenset[str]
    urls: Urls
    project_ref: str
    s3: S3 | None = None
    root: str = "."
    synchronised: bool = False
    """Whether what the database holds of secrets and settings may have changed since it was made."""

    def runs(self, service: str) -> bool:
        """Whether a service runs: it is turned on, and the release has an image of it."""
        return service in self.running

    def memory(self, service: str, mib: int) -> Resources:
        """The memory limit of a service: the settings' own, else `mib` MiB."""
        own = self.settings["services"].get(service, {}).get("memory")
        return Resources(memory_mib=mib if own is None else -(-own // 2**20))

    @property
    def asymmetric(self) -> bool:
        """Whether ES256 tokens and sb_ keys are used: one switch for the gateway and all services."""
        return self.settings["keys"].get("asymmetric") is not False and self.release.features.opaque_keys
