"""Samples for the checks of `components.env_file_settings`."""

from components import env_file_settings as env_files
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

TEXTS: Samples = {
    env_files.variable_key: Texts(
        right=("NEXT_PUBLIC_URL", "_x", "a1", "auth.external.github"),
        wrong=("1A", "A-B", "A B", "A=B", "é", ".A", "A.", "A..B", "$A", "A\n"),
    ),
    env_files.template_text: Texts(
        right=(
            "${API_URL}",
            "",
            "plain text, with $HOME and } { $",
            "postgres://${DB_URL.user}@${DB_URL.host}:${DB_URL.port}/x?y=1",
            "$${API_URL}",
            "x" * 4096,
        ),
        wrong=(
            "${API_ULR}",
            "${api_url}",
            "${}",
            "${",
            f"{HIDDEN}${{API_URL",
            "${API_URL.scheme}",
            "${ANON_KEY.host}",
            f"${{NO_SUCH}} {HIDDEN}",
            f"{HIDDEN}\n",
            f"{HIDDEN}\0",
            "x" * 4097,
        ),
        free=True,
    ),
}
