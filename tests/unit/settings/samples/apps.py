"""Samples for the checks of `components.app_settings`."""

from components import app_settings as apps
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

TEXTS: Samples = {
    apps.app_service: Texts(
        right=("shop-backend", "web", "a1"), wrong=("Web", "-a", "a-", "a.b", "a_b", "a", "1a", "a" * 41, "postgres", "valkey")
    ),
    apps.env_text: Texts(
        right=("${API_URL}", "", "plain", "${INTERNAL_API_URL}/rest/v1", "redis://${REDIS_URL.host}", "$${API_URL}"),
        wrong=(
            "${API_ULR}",
            "${",
            f"{HIDDEN}${{API_URL",
            "${ANON_KEY.host}",
            f"${{NO_SUCH}} {HIDDEN}",
            f"{HIDDEN}\n",
            "x" * 4097,
        ),
        free=True,
    ),
    apps.kept_variable: Texts(right=("LOG_LEVEL", "_x1"), wrong=("1X", "A-B", "A B", "A=B", "Ä", "a.b", "A\n", "A" * 254)),
    apps.word: Texts(right=("node", "--port=3000", "a b", "ä", "$HOME"), wrong=("", f"{HIDDEN}\0", "x" * 131001), free=True),
    apps.url_path: Texts(
        right=("/health", "/", "/api/v1/health?full=1", "/a%20b"), wrong=("health", "", "/a b", "http://x/health", "/ä", "/a#b")
    ),
    apps.folder: Texts(
        right=("/app/.next/cache", "/data", "/a/b_c-d"),
        wrong=("data", "/", "/a/", "/a/../b", "/tmp", "/proc/x", "/dev/shm", "/a b"),
    ),
}
