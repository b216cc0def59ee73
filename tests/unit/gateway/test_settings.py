"""What the gateway's settings do to the stack."""

from pathlib import Path

import pytest

from components.services import secret_names as names
from components.settings import SettingsError, load
from components.supabase_stack import services
from tests.unit.components.placements import placement
from tests.unit.settings.samples.gateway import CERTIFICATE


def public_url(settings, secrets=None, **where):
    """SUPABASE_PUBLIC_URL as Studio is told."""
    args = {"placement": placement(**where), "settings": {"gateway": settings}, "secrets": secrets or {}}
    (studio,) = [service for service in services(args) if service.name == "studio"]
    return "".join(studio.env["SUPABASE_PUBLIC_URL"].parts)


def test_clients_reach_the_api_where_it_is_published_or_where_the_settings_say():
    assert public_url({}) == "http://127.0.0.1:54321"
    assert public_url({}, bind_address="192.168.1.20") == "http://192.168.1.20:54321"
    assert public_url({"publicUrl": "https://api.example.com/"}) == "https://api.example.com"
    with_certificate = {"tlsCertificate": CERTIFICATE}
    assert public_url(with_certificate, {names.TLS_KEY: "key"}) == "https://127.0.0.1:54330"
    assert public_url({**with_certificate, "publicUrl": "https://api.example.com"}) == "https://api.example.com"


def problems(gateway, *secrets):
    config = {"supastack:supabase": {"gateway": gateway}, **{f"supastack:{name}": PEM for name in secrets}}
    try:
        load(config, stack="dev", secret_keys=tuple(f"supastack:{name}" for name in secrets), root=Path("/srv/project"))
    except SettingsError as error:
        return {".".join(map(str, problem.path)): f"{problem.reason}; {problem.fix}" for problem in error.problems}
    return {}


def _key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


PEM = _key()


def test_a_certificate_needs_its_key():
    assert problems({"tlsCertificate": CERTIFICATE}, "tlsKey") == {}
    alone = problems({"tlsCertificate": CERTIFICATE})
    assert alone.keys() == {"supabase.gateway.tlsCertificate"}
    assert "pulumi config set --secret 'supastack:tlsKey'" in alone["supabase.gateway.tlsCertificate"]
    assert problems({"tlsCertificate": CERTIFICATE, "enabled": False}).keys().isdisjoint(alone)


@pytest.mark.parametrize(
    ("text", "says"),
    [("/etc/ssl/x.pem", "not a certificate in PEM form"), (CERTIFICATE + PEM, "private key in it")],
)
def test_what_is_no_certificate_is_refused_with_what_to_give(text, says):
    found = problems({"tlsCertificate": text}, "tlsKey")
    assert says in found["supabase.gateway.tlsCertificate"]
    assert "BEGIN" in found["supabase.gateway.tlsCertificate"] or "tlsKey" in found["supabase.gateway.tlsCertificate"]
    assert PEM.splitlines()[1] not in str(found)
