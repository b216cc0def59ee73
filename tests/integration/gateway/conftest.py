"""One Envoy for all tests of the table, and others for stacks with other settings."""

import datetime as dt
import ssl
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from components.services import secret_names as names
from components.services.context import Urls
from components.services.gateway import gateway as gateway_service
from tests.integration.daemon import Daemon
from tests.integration.gateway import world
from tests.integration.images.conftest import Dock, client, image  # noqa: F401
from tests.unit.gateway.contexts import ALL, context


class Certificate:
    """A certificate of its own issue, and its key."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway.example")])
        now = dt.datetime.now(dt.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        encoding, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        self.text = made.public_bytes(encoding).decode()
        self.key = key.private_bytes(encoding, private, serialization.NoEncryption()).decode()

    def trusted(self) -> ssl.SSLContext:
        """What a client that trusts it connects with."""
        made = ssl.create_default_context(cadata=self.text)
        made.check_hostname = False
        return made


@pytest.fixture(scope="package")
def certificate() -> Certificate:
    return Certificate()


@pytest.fixture(scope="package")
def place(daemon: Daemon, client: Any) -> Iterator[Dock]:  # noqa: F811
    """The network that gateways are on."""
    del daemon
    made = Dock(client)
    yield made
    made.clean()


@pytest.fixture(scope="package")
def start(daemon: Daemon, place: Dock, image: Callable[[str], str]) -> Iterator[Callable[..., world.Gateway]]:  # noqa: F811
    """Starts gateways with settings of their own."""
    with daemon.network():
        recorder = world.Recorder(world.host_of(place))

    def run(*, elsewhere: Any = None, secrets: Any = None, **settings: Any) -> world.Gateway:
        service = gateway_service(context(**settings))
        known = {**world.SECRETS, **(secrets or {})}
        return world.run(service, image("envoy"), place, recorder, daemon.network, secrets=known, elsewhere=elsewhere)

    yield run
    recorder.close()


@pytest.fixture(scope="package")
def gateway(start: Callable[..., world.Gateway], certificate: Certificate) -> world.Gateway:
    """The default stack's, with https."""
    return start(tlsCertificate=certificate.text, secrets={names.TLS_KEY: certificate.key})


@pytest.fixture(scope="package")
def other(start: Callable[..., world.Gateway]) -> world.Gateway:
    """Another stack's: old keys only, no functions, analytics and MCP let through, another public URL."""
    return start(
        running=ALL - {"functions"},
        keys={"asymmetric": False},
        analytics=True,
        mcp=True,
        urls=Urls(api="https://api.example.com", studio="http://127.0.0.1:54323", site="http://127.0.0.1:3025"),
    )
