"""Samples for the checks of auth, REST, Storage and Studio."""

from components.supabase_settings import auth_values, rest, storage, studio
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

_SECRET = f"v1,whsec_{HIDDEN}{'A' * 30}="
_NAMES = ("Github", "1st", "ä", "a.b", "git hub", "github ", "git-hub", "no_such", "*")

TEXTS: Samples = {
    auth_values.provider_name: Texts(right=("github", "linkedin_oidc"), wrong=_NAMES),
    auth_values.hook_name: Texts(right=("send_sms", "custom_access_token"), wrong=_NAMES),
    auth_values.mail_name: Texts(right=("confirmation", "magic_link"), wrong=_NAMES),
    auth_values.redirect_url: Texts(
        right=("https://shop.example.com/**", "http://127.0.0.1:3000", "myapp://callback", "exp://192.168.1.2:19000", "*://x"),
        wrong=(
            *("shop.example.com", "/callback", "://x", "https://", "https://a.b,https://c.d", "https://a b", "https://ä.example"),
            *(f"https://me:{HIDDEN}@shop.example.com", f"https://shop.example.com/,{HIDDEN}"),
        ),
    ),
    auth_values.go_duration: Texts(
        right=("60s", "1m", "24h", "1h30m", "500ms"), wrong=("0s", "0", "60", "1d", "1.5h", "-1s", "1 h", "60S", "0h0m")
    ),
    auth_values.host_name: Texts(
        right=("smtp.example.com", "mail", "10.0.0.5", "fd00::25"), wrong=("smtp example", "-x", "x-", "smtp://x", "a/b", "ä.de")
    ),
    auth_values.account_name: Texts(
        right=("apikey", "me@example.com", "AC0123456789abcdef", "a,b"), wrong=("a b", " a", "a\t", "schlüssel")
    ),
    auth_values.code_template: Texts(
        right=("Your code is {{ .Code }}", "{{.Code}}: Ihr Kürzel"),
        wrong=("Your code", "{{ Code }}", "{{ .Code }}\nx", "{ .Code }"),
    ),
    auth_values.phone_number: Texts(
        right=("14152127777", "4915112345678"), wrong=("+14152127777", "0151 1234567", "12345", "1" * 16)
    ),
    auth_values.one_time_code: Texts(
        right=("123456", "0000000000"),
        wrong=("12345", "12345678901", "abcdef", f"123456,{HIDDEN}", "\u0661\u0662\u0663\u0664\u0665\u0666"),
    ),
    auth_values.hook_uri: Texts(
        right=(
            "pg-functions://postgres/public/custom_access_token",
            "https://hooks.example.com/sms",
            "http://host.docker.internal:54321/functions/v1/mail",
        ),
        wrong=(
            *(
                "custom_access_token",
                "pg-functions://postgres/public",
                "pg-functions://postgres/a-b/c",
                "http://shop.example.com/x",
            ),
            *("ftp://localhost/x", "https:///x", "https://[::1", f"https://me:{HIDDEN}@x.example.com", f"https://x {HIDDEN}"),
        ),
    ),
    auth_values.hook_secret: Texts(
        right=(_SECRET, f"{_SECRET}|v1a,whpk_{'b' * 44}:whsk_{HIDDEN}{'c' * 40}"),
        wrong=(
            HIDDEN,
            f"whsec_{HIDDEN}{'A' * 30}",
            f"v1,whsec_{HIDDEN}",
            f"{_SECRET}|",
            f"{_SECRET} ",
            f"v1,whsec_{HIDDEN}{'_' * 30}",
        ),
    ),
    rest.schema_name: Texts(right=("public", "graphql_public", "Shop1"), wrong=("a b", "1a", "a,b", 'a"b', "a.b", "ä", "a" * 64)),
    rest.new_schema_name: Texts(right=("test", "pgmq", "Shop1"), wrong=("pg_mine", "pg_", "a b", "1a", "a,b", "ä", "a" * 64)),
    storage.folder_name: Texts(right=("stub", "my-project_1"), wrong=("a/b", "..", "-a", "a b", "ä", "a" * 64)),
    storage.url_path: Texts(
        right=("/upload/resumable", "/a"), wrong=("upload", "/", "/a/", "//a", "/a b", "/a?b", "https://x/a")
    ),
    studio.login_name: Texts(
        right=("supabase", "me@example.com", "a.b-c_1"), wrong=("a:b", "a b", "|x", "a&b", "ä", "-a", "a" * 65)
    ),
}
