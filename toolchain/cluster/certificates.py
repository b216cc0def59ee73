"""The cluster's certificates and the kubeconfigs that hold them: made once, made anew where the node's address or a year changed."""

import base64
import datetime as dt
import ipaddress
import json
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from toolchain.cluster.layout import API_ADDRESS, CONTEXT, NODE, Layout
from toolchain.setup.folders import write_private

_DAYS = 3650


@dataclass(frozen=True)
class Identity:
    """Whom a client certificate names. Kubernetes takes the common name as the user, organisations as its groups."""

    user: str
    group: str | None = None


CLIENTS = {
    "admin": Identity("supastack-admin", "system:masters"),
    "kubelet": Identity(f"system:node:{NODE}", "system:nodes"),
    "controller-manager": Identity("system:kube-controller-manager"),
    "scheduler": Identity("system:kube-scheduler"),
    "proxy": Identity("system:kube-proxy"),
    # Our own volumes and policies; like the others it is for tests, so it is not held to a role.
    "controllers": Identity("supastack-controllers", "system:masters"),
    "apiserver-kubelet-client": Identity("supastack-apiserver", "system:masters"),
}


def ensure(layout: Layout) -> None:
    """Write all certificates, keys and kubeconfigs that are not there yet."""
    layout.pki.mkdir(mode=0o700, parents=True, exist_ok=True)
    made_for = layout.pki / "made-for"
    if not made_for.exists() or made_for.read_text() != layout.node_address:
        _make(layout)
        made_for.write_text(layout.node_address)
    for name in CLIENTS:
        path = layout.kubeconfig if name == "admin" else layout.config / f"{name}.kubeconfig"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, kubeconfig(layout, name))


def kubeconfig(layout: Layout, name: str) -> str:
    """A kubeconfig with everything inside, so that it can be copied anywhere. As JSON, which YAML contains."""

    def inside(file: str) -> str:
        return base64.b64encode((layout.pki / file).read_bytes()).decode()

    cluster = {"server": layout.server, "certificate-authority-data": inside("ca.crt")}
    user = {"client-certificate-data": inside(f"{name}.crt"), "client-key-data": inside(f"{name}.key")}
    return (
        json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": CONTEXT, "cluster": cluster}],
                "users": [{"name": CONTEXT, "user": user}],
                "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT}}],
                "current-context": CONTEXT,
            },
            indent=2,
        )
        + "\n"
    )


def _make(layout: Layout) -> None:
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority_name = _name(Identity("supastack test cluster"))
    authority = (
        _builder(authority_name, authority_name, authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    _write(layout.pki, "ca", authority, authority_key)
    service = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost")
    addresses = (layout.node_address, API_ADDRESS, "127.0.0.1")
    server_names = x509.SubjectAlternativeName(
        [*map(x509.DNSName, service), *(x509.IPAddress(ipaddress.ip_address(one)) for one in addresses)]
    )
    for name, identity in {"apiserver": Identity("kube-apiserver"), **CLIENTS}.items():
        key = ec.generate_private_key(ec.SECP256R1())
        server = name == "apiserver"
        purpose = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = (
            _builder(_name(identity), authority_name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        )
        if server:
            builder = builder.add_extension(server_names, critical=False)
        _write(layout.pki, name, builder.sign(authority_key, hashes.SHA256()), key)
    signer = rsa.generate_private_key(65537, 2048)
    write_private(layout.pki / "service-accounts.key", _pem(signer))
    public = signer.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    write_private(layout.pki / "service-accounts.pub", public.decode())


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(minutes=5))
        .not_valid_after(now + dt.timedelta(days=_DAYS))
    )


def _name(identity: Identity) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, identity.group)] if identity.group else []
    return x509.Name([*parts, x509.NameAttribute(NameOID.COMMON_NAME, identity.user)])


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    write_private(folder / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM).decode())
    write_private(folder / f"{name}.key", _pem(key))


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
