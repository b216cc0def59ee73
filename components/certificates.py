"""A server's certificate as PEM text: which key it belongs to, and from when to when it is good.

`cryptography` is loaded at the first question: that takes longer than the rest of the settings.
"""

from datetime import date


def belongs(certificate: str, key: str) -> bool:
    """Whether a private key is the one of the first certificate, which is the server's own. Both were checked to be readable."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

    own = x509.load_pem_x509_certificates(certificate.encode())[0].public_key()
    given = load_pem_private_key(key.encode(), password=None).public_key()
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return own.public_bytes(*form) == given.public_bytes(*form)


def days(certificate: str) -> tuple[date, date]:
    """The first and the last day (UTC) on which all certificates in the text are good: none is worth more than those it rests on."""
    from cryptography import x509

    every = x509.load_pem_x509_certificates(certificate.encode())
    return max(one.not_valid_before_utc for one in every).date(), min(one.not_valid_after_utc for one in every).date()
