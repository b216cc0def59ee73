"""Samples for the checks of `components.setting_values`."""

from components import setting_values as values
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

_SERVER_PASSWORD = Texts(
    right=(f"{HIDDEN}-1", f"{HIDDEN}:/?#[]@!$&()*+,;=%", HIDDEN + "x" * 119),
    wrong=(
        *(f"{HIDDEN} space", f"{HIDDEN}'quote", f'{HIDDEN}"quote', f"{HIDDEN}\\slash", f"{HIDDEN}`tick", f"{HIDDEN}äöü"),
        HIDDEN + "x" * 120,
    ),
)
TEXTS: Samples = {
    values.release_name: Texts(right=("2026-09",), wrong=("2026", "2026-13", "2026-09-01", "latest", "v1", "../2026-09")),
    values.ip_address: Texts(
        right=("127.0.0.1", "0.0.0.0", "192.168.1.20", "::1", "::"),
        wrong=(
            "localhost",
            "127.0.0",
            "127.0.0.1:80",
            "256.1.1.1",
            "127.1",
            "010.0.0.1",
            "fe80::1%eth0",
            "224.0.0.1",
            "1.2.3.4/8",
        ),
    ),
    values.docker_host: Texts(
        right=("unix:///var/run/docker.sock", "tcp://10.0.0.5:2376", "npipe:////./pipe/docker_engine"),
        wrong=(
            *(
                "docker.sock",
                "/var/run/docker.sock",
                "http://x",
                "unix://",
                "tcp://",
                "ssh://",
                "ssh://me@build.example",
                "tcp://host:port",
                "tcp://host:99999",
            ),
            *(f"ssh://me:{HIDDEN}@host", f"ftp://me:{HIDDEN}@host", f"tcp://me:{HIDDEN}@"),
        ),
    ),
    values.duration: Texts(
        right=("0", "500ms", "30s", "5min", "2h"), wrong=("30", "30 s", "-1s", "1d", "1.5s", "9999999h", "0s")
    ),
    values.database_name: Texts(
        right=("postgres", "cmx_db", "a" * 63),
        wrong=("App", "my-app", "1st", "_supabase", "a b", "a.b", "a\n", "ä", "a" * 64, "template1", "pgbouncer"),
    ),
    values.bucket_name: Texts(
        right=("app", "service-ticket-attachments", "a.b", "0files", "a" * 63),
        wrong=(
            "ab",
            "a" * 64,
            "App",
            "a_b",
            "-app",
            "app-",
            ".app",
            "a..b",
            "192.168.0.1",
            "xn--app",
            "app-s3alias",
            "a b",
            "ä" * 4,
        ),
    ),
    values.http_url: Texts(
        right=("https://s3.example.com", "http://127.0.0.1:9000", "https://s3.example.com/base", "http://[::1]:9000"),
        wrong=(
            *("s3.example.com", "ftp://x", "https://", "https://x:port", "https://x y", "https://x:0", "https://[::1"),
            *(
                f"https://me:{HIDDEN}@s3.example.com",
                f"https://s3.example.com/?key={HIDDEN}",
                f"https://s3.example.com#{HIDDEN}",
                f"ftp://me:{HIDDEN}@x",
            ),
        ),
    ),
    values.stack_id: Texts(
        right=("0123456789abcdef",), wrong=("0123456789ABCDEF", "0123456789abcde", "0123456789abcdef0", "0123456789abcdeg")
    ),
    values.region: Texts(right=("us-east-1", "auto", "garage"), wrong=("US-EAST-1", "us east", "-eu", "a" * 64)),
    values.access_key: Texts(right=("AKIAIOSFODNN7EXAMPLE", "app", "a_b-c"), wrong=("ab", "a b", "key!", "a" * 129)),
    values.email: Texts(
        right=("admin@example.com", "a.b+c@mail.example.co.uk"),
        wrong=(
            "admin",
            "admin@",
            "@example.com",
            "a@b",
            "a b@example.com",
            "a@b@c.de",
            ".a@example.com",
            "a@-b.de",
            "a@b..de",
            "A <a@b.de>",
        ),
    ),
    values.line_of_text: Texts(right=("Administrator", "Ångström, Zoë"), wrong=(" x", "x ", "a\tb", "x" * 201)),
    values.file_path: Texts(
        right=(".env.local", "apps/shop/.env", "../shop/.env", "/srv/shop/.env", "my file.env"),
        wrong=("~/x/.env", "apps/", "..", "../", ".", "a/..", " .env", ".env "),
    ),
    values.app_name: Texts(right=("nextjs", "shop-2"), wrong=("Shop", "my app", "a", "-a", "a-", "a/b", "a.b", "2a", "a" * 41)),
    values.server_password: _SERVER_PASSWORD,
    values.person_password: Texts(
        right=(f"{HIDDEN} with spaces, 'quotes' and äöü", HIDDEN + "x" * 63), wrong=(HIDDEN + "x" * 64, HIDDEN + "ä" * 33)
    ),
}
