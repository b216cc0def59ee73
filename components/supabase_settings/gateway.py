"""Settings of the API gateway."""

import re
from typing import Annotated, Final, NotRequired

from typing_extensions import TypedDict

from components.setting_declared import declared
from components.setting_values import Refused, Setting, http_url

_BLOCK: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)


def certificate(text: str) -> str:
    """Check a certificate with those that lead to its root, as PEM text: the server's own first."""
    from cryptography import x509  # Here: loading it takes longer than the rest of the settings.

    fix = "give the text of the file, from -----BEGIN CERTIFICATE----- to -----END CERTIFICATE-----, the server's own first"
    if "PRIVATE KEY" in text:
        raise Refused("there is a private key in it", "give the key alone as the secret setting `tlsKey`", hidden=True)
    kinds = [found[1] for found in _BLOCK.finditer(text)]
    if not kinds or set(kinds) != {"CERTIFICATE"}:
        raise Refused("it is not a certificate in PEM form", fix)
    try:
        x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise Refused("it is not a certificate that can be read", fix) from None
    return text


@declared
class GatewaySettings(TypedDict):
    """The API gateway."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it."""
    publicUrl: NotRequired[Annotated[str, Setting(check=http_url)]]
    """SUPABASE_PUBLIC_URL: where clients reach the API, as in "https://api.example.com". Unset: the published port of this machine."""
    tlsCertificate: NotRequired[Annotated[str, Setting(check=certificate)]]
    """Certificate, as PEM text, with which the API is served by https too, on the port `apiHttps`; its key is `tlsKey`. Unset: no https."""
    analytics: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether Logflare is reached at /analytics/v1/, with Studio's user name and password."""
    mcp: NotRequired[Annotated[bool, Setting(default=False)]]
    """Whether Studio's MCP server is reached at /mcp, with a key of the service role: it may do all that Studio may."""
