"""Samples for the settings of a managed Supabase project."""

from components.supabase_settings import managed
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

_HOSTS = ("aws-1-eu-central-2.pooler.supabase.com", "db.abcdefghijklmnopqrst.supabase.co", "10.1.2.3", "localhost")
_NO_HOSTS = (
    "",
    " ",
    "a..b",
    "-a.b",
    "1.2.3",
    "a b",
    "é.example.com",
    "https://example.com",
    f"postgres:{HIDDEN}@db.example.com",
    "a" * 64,
)

TEXTS: Samples = {
    managed.project_reference: Texts(
        right=("abcdefghijklmnopqrst", "zzzzzzzzzzzzzzzzzzzz"),
        wrong=(
            "",
            "abcdefghijklmnopqrs",
            "abcdefghijklmnopqrstu",
            "ABCDEFGHIJKLMNOPQRST",
            "abcdefghij1234567890",
            "abcdefghij-klmnopqrs",
        ),
    ),
    managed.platform_region: Texts(
        right=("eu-central-2", "us-east-1", "ap-southeast-1", "us-gov-west-1"),
        wrong=(
            "",
            "eu",
            "eu-central",
            "aws-1-eu-central-2",
            "EU-CENTRAL-2",
            "eu_central_2",
            "eu-central-2.pooler",
            "eu-central-123",
        ),
    ),
    managed.host: Texts(right=(*_HOSTS, "2001:db8::7"), wrong=(*_NO_HOSTS, "db.example.com:5432")),
    managed.host_and_port: Texts(
        right=(*_HOSTS, "db.example.com:5433", "[2001:db8::7]:5432", "[2001:db8::7]"),
        wrong=(
            *_NO_HOSTS,
            "db.example.com:0",
            "db.example.com:99999",
            "db.example.com:x",
            "db.example.com/postgres",
            "db.example.com?a=b",
        ),
    ),
    managed.role: Texts(
        right=("postgres", "postgres.abcdefghijklmnopqrst", "app_reader", "App-1"),
        wrong=("", " ", "1a", "a b", "a.b.c", "a:b", "a@b", "a.", "é", "a" * 64),
    ),
}
