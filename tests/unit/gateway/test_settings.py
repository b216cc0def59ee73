"""What the gateway's settings do to the stack."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from components.services import secret_names as names
from components.settings import Ciphertext, SettingsError, load
from components.supabase_stack import services
from tests.clone_root import ROOT
from tests.unit.components.placements import placement
from tests.unit.settings.samples.gateway import CERTIFICATE
from tests.unit.settings.samples.keys import TLS_KEY


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


def loaded(gateway, *secrets, key=TLS_KEY, **more):
    config = {"supastack:supabase": {"gateway": gateway}, **{f"supastack:{name}": key for name in secrets}}
    return load(
        config, stack="dev", secret_keys=tuple(f"supastack:{name}" for name in secrets), root=Path("/srv/project"), **more
    )


def problems(gateway, *secrets, **more):
    try:
        loaded(gateway, *secrets, **more)
    except SettingsError as error:
        return {".".join(map(str, problem.path)): f"{problem.reason}; {problem.fix}" for problem in error.problems}
    return {}


def test_a_certificate_needs_its_key():
    assert problems({"tlsCertificate": CERTIFICATE}, "tlsKey") == {}
    alone = problems({"tlsCertificate": CERTIFICATE})
    assert alone.keys() == {"supabase.gateway.tlsCertificate"}
    assert "pulumi config set --secret 'supastack:tlsKey'" in alone["supabase.gateway.tlsCertificate"]
    assert problems({"tlsCertificate": CERTIFICATE, "enabled": False}).keys().isdisjoint(alone)


@pytest.mark.parametrize(
    ("text", "says"),
    [("/etc/ssl/x.pem", "not a certificate in PEM form"), (CERTIFICATE + TLS_KEY, "private key in it")],
)
def test_what_is_no_certificate_is_refused_with_what_to_give(text, says):
    found = problems({"tlsCertificate": text}, "tlsKey")
    assert says in found["supabase.gateway.tlsCertificate"]
    assert "BEGIN" in found["supabase.gateway.tlsCertificate"] or "tlsKey" in found["supabase.gateway.tlsCertificate"]
    assert TLS_KEY.splitlines()[1] not in str(found)


def pem(key):
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def issued(begin, end, key):
    """A certificate, good from one day to the other."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway.example")])
    begin, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (begin, end))
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    made = made.not_valid_before(begin).not_valid_after(end).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


OTHER = ec.generate_private_key(ec.SECP256R1())


@pytest.mark.parametrize("key", [OTHER, rsa.generate_private_key(65537, 2048)])
def test_a_key_that_is_not_the_certificates_is_refused_and_not_shown(key):
    found = problems({"tlsCertificate": CERTIFICATE}, "tlsKey", key=pem(key))
    assert found.keys() == {"tlsKey"}
    assert "not the key of supabase.gateway.tlsCertificate" in found["tlsKey"]
    assert pem(key).splitlines()[1] not in str(found)


def test_of_several_certificates_the_first_is_the_servers_own():
    chain = issued("2026-01-01", "2099-01-01", OTHER)
    assert problems({"tlsCertificate": CERTIFICATE + chain}, "tlsKey") == {}
    assert problems({"tlsCertificate": chain + CERTIFICATE}, "tlsKey").keys() == {"tlsKey"}


def test_a_key_that_can_not_be_read_here_is_taken_for_the_right_one():
    assert problems({"tlsCertificate": CERTIFICATE}, "tlsKey", key=Ciphertext()) == {}


@pytest.mark.parametrize(
    ("today", "refused", "warned"),
    [
        ("2026-05-31", False, True),
        ("2026-06-01", False, False),
        ("2026-08-31", False, False),
        ("2026-09-01", False, True),
        ("2026-10-01", False, True),
        ("2026-10-02", True, False),
    ],
)
@pytest.mark.parametrize("rests_on_it", [False, True])
def test_a_certificate_is_warned_of_thirty_days_before_it_ends_and_refused_when_it_has_ended(today, refused, warned, rests_on_it):
    text, key = issued("2026-06-01", "2026-10-01", OTHER), pem(OTHER)
    if rests_on_it:
        text, key = CERTIFICATE + text, TLS_KEY
    day = date.fromisoformat(today)
    found = problems({"tlsCertificate": text}, "tlsKey", key=key, today=day)
    assert bool(found) is refused
    if refused:
        assert "ended on 2026-10-01" in found["supabase.gateway.tlsCertificate"]
        assert problems({"tlsCertificate": text, "enabled": False}, key=key, today=day).keys() <= {
            "supabase.studio.enabled",
            "supabase.gateway.enabled",
        }
    else:
        said = [line for line in loaded({"tlsCertificate": text}, "tlsKey", key=key, today=day).warnings if "certificate" in line]
        assert bool(said) is warned


def test_settings_without_a_certificate_do_not_load_cryptography():
    program = """
import sys
from components.settings import load
load({"supastack:cache": {"enabled": True}}, stack="dev")
sys.exit("cryptography" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=False).returncode == 0
