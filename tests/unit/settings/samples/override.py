"""Samples for what one service is given beside its settings."""

from components.supabase_settings import override
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

TEXTS: Samples = {
    override.service_name: Texts(right=("postgres", "auth"), wrong=("gotrue", "Auth", "auth ", "db", "*")),
    override.variable_name: Texts(right=("LOG_LEVEL", "_x1"), wrong=("1X", "A-B", "A B", "A=B", "Ä", "a.b", "A\n")),
    override.variable_value: Texts(
        right=("debug", "", "two\nlines", "ä 'x' \"y\" $z"), wrong=(f"{HIDDEN}\0", HIDDEN + "x" * 131072), free=True
    ),
}
