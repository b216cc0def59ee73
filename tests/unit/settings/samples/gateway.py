"""Samples for the gateway's settings."""

from components.supabase_settings import gateway
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

# Self-signed, by the private key among the samples of keys.py, for 2020 to 2125.
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBSzCB8aADAgECAhQltJXc9MiTklld8Zz9C718WBsiszAKBggqhkjOPQQDAjAa
MRgwFgYDVQQDDA9nYXRld2F5LmV4YW1wbGUwIBcNMjAwMTAxMDAwMDAwWhgPMjEy
NjAxMDEwMDAwMDBaMBoxGDAWBgNVBAMMD2dhdGV3YXkuZXhhbXBsZTBZMBMGByqG
SM49AgEGCCqGSM49AwEHA0IABJ+thK6uCLvvfwEAFNgs72oJ3isM+HG1zgxPHROl
mlk0B8tFdp8QcOLCRw/lsb/mMTPAsM3GTqS/N5Go7CoH/U+jEzARMA8GA1UdEwEB
/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAIBqc+CiIjtL6XaCthVOVTFSVDdq
eeSTIeuZieBhWlrqAiEA4+8Cjopah+YcnnHsWninWZ+DJo/chByH2rYHfW3sgss=
-----END CERTIFICATE-----
"""
_KEY = f"-----BEGIN PRIVATE KEY-----\n{HIDDEN}\n-----END PRIVATE KEY-----\n"

TEXTS: Samples = {
    gateway.certificate: Texts(
        right=(CERTIFICATE, f"# the server's own\n{CERTIFICATE}{CERTIFICATE}"),
        wrong=(
            *("", "certificate", CERTIFICATE[:-30], CERTIFICATE.replace("MII", "MIJ"), "/etc/ssl/gateway.pem"),
            CERTIFICATE.replace("CERTIFICATE", "PUBLIC KEY"),
            CERTIFICATE + _KEY,
            _KEY,
        ),
        free=True,
    )
}
