"""The first steps to every endpoint: its name, its port and its certificate."""

import errno
import socket
import ssl
from pathlib import Path
from typing import Final

import certifi

from components.verification.wrong import Wrong

WITHIN: Final = 10.0
"""Seconds that each step may take; chosen by us: a server that serves people answers in far less."""


def reach(host: str, port: int, *, ca: str | None = None, tls: bool = False, also: bool = False) -> None:
    """Connects once, and with `tls` has the server show its certificate; nothing is sent beyond that. `ca`, `also`: as `context`.

    Raises:
        Wrong: the name is unknown, nobody listens, or the certificate is not good.
    """
    try:
        with socket.create_connection((host, port), timeout=WITHIN) as connection:
            if tls:
                with context(ca, also=also).wrap_socket(connection, server_hostname=host):
                    pass
    except (OSError, Wrong) as error:
        raise why(error, ca, also=also) from None


def why(error: Exception, ca: str | None, *, also: bool = False) -> Wrong:
    """What an error of the network or of TLS means. `ca`, `also`: as `context`."""
    if isinstance(error, Wrong):
        return error
    if isinstance(error, ssl.SSLCertVerificationError):
        return certificate(error.verify_message or str(error), ca, also=also)
    if isinstance(error, ssl.SSLError) or (isinstance(error, OSError) and error.errno == errno.ECONNRESET):
        return Wrong("there is no TLS at that port", "give the port at which the server speaks TLS")
    if isinstance(error, socket.gaierror):
        return Wrong("no such name is known", "look for a spelling mistake; or this machine's DNS does not know it")
    if isinstance(error, ConnectionRefusedError):
        return Wrong("the connection is refused", "see that the server runs, and that the port is its own", silent=True)
    if isinstance(error, TimeoutError):
        return Wrong(
            f"there is no answer within {WITHIN:.0f} seconds",
            "see that the server lets this machine in (firewall, list of allowed addresses), and that the project is not paused",
            silent=True,
        )
    if isinstance(error, OSError) and error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL):
        return Wrong(
            "there is no way to its address from this machine",
            "its name may have an IPv6 address alone, as a Supabase project's own: buy it an IPv4 address, or give the pooler's session "
            "mode in its place (databaseHost: the pooler's, databaseUser: postgres.<ref>)",
        )
    return Wrong(f"it can't be reached ({type(error).__name__})", "see that the server runs and is reached from this machine")


def certificate(said: str, ca: str | None, *, also: bool = False) -> Wrong:
    """What OpenSSL's word on a certificate means. `ca`, `also`: as `context`."""
    if "mismatch" in said.lower() or "not valid for" in said or "does not match" in said:
        return Wrong("the certificate names another host", "give the host as the certificate names it")
    if "expired" in said or "not yet valid" in said:
        return Wrong("the certificate is not good today", "have it renewed; or this machine's clock is wrong")
    if ca is None:
        return Wrong(
            "the certificate is signed by an authority that this machine does not trust",
            "name the authority's file: caCertificate beside the host (Supabase: download it in the dashboard's database settings), "
            "of read replicas readReplicaCaCertificate; where an address is one URL: SSL_CERT_FILE in the environment",
        )
    if also:
        return Wrong(
            "the certificate is signed by an authority that neither this machine nor caCertificate knows",
            "add the authority's certificate to that file, and see that this is the right server",
        )
    return Wrong(
        "the certificate is signed by another authority than caCertificate",
        "give the file of the authority that signed it, and see that this is the right server",
    )


def context(ca: str | None, *, also: bool = False) -> ssl.SSLContext:
    """What a server's certificate is verified by: the host's name and the authority.

    Args:
        ca: File of the authority; None: the machine's authorities.
        also: The machine's authorities count beside `ca`.

    Raises:
        Wrong: the authority's file can't be read.
    """
    try:
        found = ssl.create_default_context(cafile=trusted(None if also else ca))
        if also and ca is not None:
            found.load_verify_locations(cafile=ca)
    except (OSError, ssl.SSLError):
        raise Wrong(
            "the file of caCertificate holds no certificate that can be read", "give the authority's file, in PEM"
        ) from None
    return found


def trusted(ca: str | None) -> str:
    """The file of authorities: the given one; else the machine's (SSL_CERT_FILE counts), and certifi's where it has none."""
    machine = ssl.get_default_verify_paths().cafile
    return ca or (machine if machine and Path(machine).is_file() else certifi.where())
