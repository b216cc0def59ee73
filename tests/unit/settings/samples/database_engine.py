"""Samples for who runs the database."""

from components.supabase_settings import database_engine as engine
from tests.unit.settings.samples.common import Samples, Texts

TEXTS: Samples = {
    engine.schedule: Texts(
        right=("0 0 3 * * *", "0 */15 * * * *", "0 0 0 1,15 1-6 1-5"),
        wrong=(
            "0 3 * * *",
            "@daily",
            "0 0 24 * * *",
            "60 0 0 * * *",
            "0 0 3 * * * *",
            "0 0 3 0 * *",
            "0 0 3 * * 5-1",
            "0 0 3 * * x",
            "0 0 */0 * * *",
        ),
    ),
    engine.retention: Texts(right=("30d", "8w", "12m"), wrong=("30", "d", "0d", "30 d", "30y", "1.5d", "30D")),
    engine.destination: Texts(
        right=("s3://backups/shop", "s3://backups"),
        wrong=("backups/shop", "https://backups/shop", "s3://", "s3://B/x", "s3://backups/a b", "s3://backups//x"),
    ),
    engine.database_host: Texts(
        right=("db.example.com", "10.0.0.5", "db", "2001:db8::1"),
        wrong=(
            "localhost",
            "127.0.0.1",
            "::1",
            "0.0.0.0",
            "db.example.com:5432",
            "postgres://db",
            "a b",
            "-a",
            "10.0.0.256",
            "a..b",
        ),
    ),
    engine.login: Texts(right=("postgres", "_admin"), wrong=("Postgres", "1a", "a-b", "a b", "a" * 64)),
}
