"""Samples for the settings of what others run."""

from components import external_settings as external
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

TEXTS: Samples = {
    external.host_name: Texts(
        right=(
            "eu1-fit-cat-12345.upstash.io",
            "master.shop.abc123.euc1.cache.amazonaws.com",
            "10.1.2.3",
            "2001:db8::7",
            "localhost",
        ),
        wrong=(
            *(
                "",
                " ",
                "cache.example.com:6379",
                "rediss://cache.example.com",
                "a..b",
                "-a.b",
                "1.2.3",
                "0.0.0.0",
                "::",
                "fe80::1%eth0",
            ),
            *("224.0.0.1", "host_name", "a b", "é.example.com", f"default:{HIDDEN}@cache.example.com", "a" * 64, "a." * 130),
        ),
    ),
    external.cache_user: Texts(
        right=("default", "app-1", "a.b_c~d"), wrong=("", " ", "a b", "a:b", "a@b", "a%20b", "a/b", "é", "a" * 129)
    ),
}
