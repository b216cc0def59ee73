"""Samples for the gateway's settings."""

from components.supabase_settings import gateway
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

# Self-signed, of this test's own making; its key was thrown away.
CERTIFICATE = """-----BEGIN CERTIFICATE-----
MIIBizCCATGgAwIBAgIUNDfG85QTe1FiIBG/v9N6kvT10q0wCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPZ2F0ZXdheS5leGFtcGxlMCAXDTI2MTEyMTEwNDMwOFoYDzIx
MjYxMDI4MTA0MzA4WjAaMRgwFgYDVQQDDA9nYXRld2F5LmV4YW1wbGUwWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAATxmsgaEHNsxJ2/LIF9nfNiyQPsD2gNE809iYG/
hWnFin6vSFJqndmGqDKxJRfzJvODYCp304oF/PgY51uYZ6Oho1MwUTAdBgNVHQ4E
FgQUyOghHWmqExU7qguFE/nrXmv3ghYwHwYDVR0jBBgwFoAUyOghHWmqExU7qguF
E/nrXmv3ghYwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiEA4xmB
5cGkS3h770r+eWdAgGeAQII3KI3HWRmbcvm6xZ0CIFoLsLdmPYmpLE7jaAptEyp4
I8slG/ygf+5A1WxP/IOw
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
