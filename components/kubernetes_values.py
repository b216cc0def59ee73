"""Checks of the texts in the Kubernetes target's settings."""

import ipaddress
import re

from components.setting_values import Refused

PURPOSES = ("apps", "cache", "database", "functions", "modules", "oauth", "openai", "s3", "sms", "smtp", "webhooks")
"""What a service may talk to outside the stack (`components.service.Service.outside`)."""
BESIDE = ("minio", "pgbouncer", "plain-postgres", "redis", "redis-commander", "rustfs", "seaweedfs", "valkey")
"""Services beside the Supabase stack's own."""


def label(text: str) -> str:
    """Check an RFC 1123 label: the name of a namespace."""
    if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", text, re.ASCII):
        raise Refused("it is not a name of that kind", 'use up to 63 of a-z, 0-9 and "-", as in "backend"')
    return text


def object_name(text: str) -> str:
    """Check an RFC 1123 subdomain: the name of most Kubernetes objects."""
    return dns_name(text)


def dns_name(text: str) -> str:
    """Check a DNS name."""
    if len(text) > 253 or not all(
        re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", part, re.ASCII) for part in text.split(".")
    ):
        raise Refused("it is not a DNS name in lower case", 'write it as in "api.example.com"')
    return text


def annotation(text: str) -> str:
    """Check the name of an annotation: `name`, or `domain/name`."""
    return _qualified(text, "the name of an annotation", '"cert-manager.io/cluster-issuer"')


def class_name(text: str) -> str:
    """Check the class of an ingress, or of a load balancer, which has a domain before it as a rule (Service.spec.loadBalancerClass)."""
    return _qualified(text, "the name of a class", '"traefik" or "example.com/internal"')


def _qualified(text: str, what: str, example: str) -> str:
    domain, slash, name = text.rpartition("/")
    if slash:
        dns_name(domain)
    if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?", name, re.ASCII):
        raise Refused(f"it is not {what}", f"write it as in {example}")
    return text


def cpu(text: str) -> str:
    """Check an amount of CPU as Kubernetes writes it."""
    if not re.fullmatch(r"[1-9][0-9]{0,4}m|[1-9][0-9]{0,2}(\.[0-9]{1,3})?|0\.[0-9]{0,2}[1-9]", text, re.ASCII):
        raise Refused("it is not an amount of CPU", 'write cores or thousandths of one, as in "2" or "250m"')
    return text


def cidr(text: str) -> str:
    """Check a network."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        raise Refused("it is not a network", 'write it as in "10.0.0.0/8"') from None
    return text


def path(text: str) -> str:
    """Check the path of a file or a folder."""
    if not text.strip() or not text.isprintable() or len(text) > 1000:
        raise Refused("it is not a path", 'write it as in "/home/me/.kube/config"')
    return text


def secret_key(text: str) -> str:
    """Check a key of a Secret's data (Kubernetes, Secret v1: alphanumeric, "-", "_" and ".")."""
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}", text, re.ASCII) or text in (".", ".."):
        raise Refused("it is not a key of a Secret", 'use letters, digits, "-", "_" and ".", as in "password"')
    return text


def secret_setting(text: str) -> str:
    """Check the name of a secret setting that is one text."""
    from components.existing_secrets import SINGLE  # it reads the declaration, which needs ours at the top

    if text not in SINGLE:
        raise Refused("there is no such secret setting, or it is a mapping of secrets", f"use one of {', '.join(sorted(SINGLE))}")
    return text


def purpose(text: str) -> str:
    """Check what outside traffic is for."""
    if text not in PURPOSES:
        raise Refused("there is no such purpose", f"use one of {', '.join(PURPOSES)}")
    return text


def any_service(text: str) -> str:
    """Check the name of a service that the Kubernetes target places."""
    from components.supabase_settings.override import SERVICES  # its module needs ours at the top

    known = sorted({*SERVICES, *BESIDE})
    if text not in known:
        raise Refused("there is no such service", f"use one of {', '.join(known)}")
    return text
