"""Samples for Realtime and the edge functions."""

from components import setting_values
from components.supabase_settings import functions, realtime
from tests.unit.settings.samples.common import Samples, Texts

TEXTS: Samples = {
    setting_values.socket_path: Texts(
        right=("/var/run/docker.sock", "/run/user/1000/docker.sock"),
        wrong=("docker.sock", "unix:///var/run/docker.sock", "/a:b", "/a b", "/run/", "/", "/x" * 60),
    ),
    realtime.table_name: Texts(
        right=("public.messages", "public.*", "Sales._Orders$1", f"a.{'b' * 63}"),
        wrong=(
            "messages",
            "public.",
            ".messages",
            "a.b.c",
            'a."b"',
            "a.b'",
            "*.*",
            "public.*x",
            f"a.{'b' * 64}",
            "1a.b",
            "a .b",
            "a.b\n",
        ),
    ),
    functions.function_name: Texts(
        right=("hello", "send-mail", "A1_b"), wrong=("_shared", "1st", "a.b", "a/b", "..", "a b", "ä", "a" * 65, "hello\n")
    ),
    functions.folder_path: Texts(
        right=("supabase/functions", "../shop/functions/", "/srv/functions", "."),
        wrong=("~/functions", " functions", "a:b", "x" * 2000),
    ),
}
