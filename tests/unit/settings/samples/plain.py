"""Samples for the plain database."""

from components import plain_settings as plain
from tests.unit.settings.samples.common import Samples, Texts

_ROLE = Texts(right=("cmx_user", "a", "a" * 63), wrong=("Cmx", "1a", "_a", "a-b", "a b", "pg_reader", "public", "none", "a" * 64))
TEXTS: Samples = {
    plain.role_name: _ROLE,
    plain.extension_name: Texts(right=("uuid-ossp", "pgcrypto", "pg_trgm"), wrong=("UUID", "a b", "1a", "-a", '"a"', "a" * 64)),
    plain.parameter_name: Texts(
        right=("shared_buffers", "auto_explain.log_min_duration"),
        wrong=("Shared", "a-b", "a.b.c", "a=b", "data_directory", "listen_addresses", "port", "a" * 64),
    ),
    plain.parameter_value: Texts(right=("256MB", "0.9", "", "a, 'b'"), wrong=("a\nb", "a\0", "x" * 1001), free=True),
}
