"""Samples for the checks of `components.kubernetes_values`."""

from components import kubernetes_values as kube
from tests.unit.settings.samples.common import Samples, Texts

TEXTS: Samples = {
    kube.label: Texts(
        right=("backend", "supastack-dev-2", "a", "a" * 63), wrong=("Backend", "-a", "a-", "a.b", "a_b", "a b", "a" * 64, "ä")
    ),
    kube.object_name: Texts(
        right=("public", "letsencrypt.example", "0-class"), wrong=("Public", "a_b", "a..b", ".a", "a.", "-a", "a/b", "a" * 254)
    ),
    kube.dns_name: Texts(
        right=("api.example.com", "localhost", "a-b.c"),
        wrong=(
            "API.example.com",
            "api.example.com.",
            "https://api.example.com",
            "api example",
            "api_example.com",
            "*.example.com",
        ),
    ),
    kube.annotation: Texts(
        right=("kubernetes.io/tls-acme", "example.com/A_b.c", "plain"),
        wrong=("/x", "Example.com/x", "example.com/", "a b", "-x", "x" * 64),
    ),
    kube.class_name: Texts(
        right=("nginx", "example.com/internal", "service.k8s.aws/nlb"), wrong=("/x", "Example.com/x", "example.com/", "a b", "-x")
    ),
    kube.cpu: Texts(right=("250m", "2", "0.5", "1.25"), wrong=("0", "0m", "2000", "-1", "1.5m", "2 cores", "0.0", "1e3", "01")),
    kube.cidr: Texts(
        right=("10.0.0.0/8", "0.0.0.0/0", "fd00::/8", "10.1.2.3"),
        wrong=("10.0.0.1/8", "10.0.0.0/33", "all", "10.0.0/8", "fe80::1%eth0/64"),
    ),
    kube.path: Texts(right=("/home/me/.kube/config", "~/.kube/config", "cluster/kubeconfig", "my file"), wrong=(" ", "a\nb")),
    kube.purpose: Texts(right=("smtp", "s3", "webhooks"), wrong=("mail", "SMTP", "s3 ", "https")),
    kube.secret_key: Texts(right=("password", "tls.key", "A_b-1"), wrong=("a b", "a/b", "..", "ä", "a" * 254)),
    kube.secret_setting: Texts(
        right=("smtpPassword", "jwtSecret", "cachePassword"), wrong=("smtp", "functionSecrets", "release", "smtp password")
    ),
    kube.any_service: Texts(
        right=("gateway", "postgres", "valkey", "plain-postgres"), wrong=("db", "Gateway", "kong", "gate way")
    ),
}
