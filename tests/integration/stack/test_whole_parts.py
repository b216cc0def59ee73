"""A stack with services turned off, on the real engine. All combinations of one: tests/unit/components/test_each_service_off.py."""

from collections.abc import Iterator

import pytest

from tests.integration.stack.whole import REAL, STUBS, Whole

pytestmark = [pytest.mark.docker, pytest.mark.engine]

OFF = {"enabled": False}
OPTIONAL_OFF = {
    **dict.fromkeys(("studio", "mail", "imgproxy", "analytics", "vector"), OFF),
    "auth": {"email": {"enableConfirmations": False}},
}
# What auth and the database alone can do without.
ALMOST_ALL_OFF = {**OPTIONAL_OFF, **dict.fromkeys(("storage", "rest", "realtime", "functions", "pooler"), OFF)}


@pytest.fixture(scope="module")
def back(whole_up: Whole) -> Iterator[Whole]:
    """The stack, which is as it was at the end."""
    yield whole_up
    whole_up.up()


def running(whole_up: Whole, wanted: set[str]) -> set[str]:
    """Services that are healthy, once those that are wanted are."""
    names = {name for name in (*REAL, *STUBS) if name.removeprefix("supabase-") in wanted}
    states = whole_up.until_states(dict.fromkeys(names, "healthy"))
    return {name.removeprefix("supabase-") for name, state in states.items() if state == "healthy"}


ALL = {name.removeprefix("supabase-") for name in (*REAL, *STUBS)}


def test_with_every_optional_service_off_the_api_is_all_there(back: Whole):
    with back.settings(supabase=OPTIONAL_OFF):
        shown = back.up()
        assert "Stack dev is up." in shown
        wanted = ALL - {"studio", "mail", "imgproxy"}
        assert running(back, wanted) == wanted
        outputs = back.clone.outputs()
        assert {"STUDIO_URL", "MAILPIT_URL", "DASHBOARD_PASSWORD"}.isdisjoint(outputs)
        assert {"studio", "mailWeb", "smtp"}.isdisjoint(outputs["PORTS"])
        assert "supabase.mail.enabled is false and there is no SMTP server" in shown
        assert "supabase.imgproxy.enabled is false: Storage gives images as they are" in shown
        for path, service in {"/rest/v1/todos": "rest", "/storage/v1/bucket": "storage", "/auth/v1/user": "auth"}.items():
            assert back.keyed(path).stub == service
        assert back.keyed("/pg/schemas", "SERVICE_ROLE_KEY").status == 200
        # Nobody is asked to log in where there is nothing behind it.
        page = back.call("/project/default", auth=back.login)
        assert (page.status, page.json) == (404, {"message": "studio is not part of this stack"})
        assert "GOTRUE_SMTP_HOST" not in back.env("supabase-auth")
        assert back.env("supabase-storage")["ENABLE_IMAGE_TRANSFORMATION"] == "false"
        assert "all is well" in back.clone.make("check-env", FILE=".env", FOR="nextjs").stdout


def test_auth_and_the_database_alone_come_up_and_what_is_off_says_so(back: Whole):
    volume = "supastack-dev-supabase-storage-data"
    with back.settings(supabase=ALMOST_ALL_OFF):
        back.up()
        wanted = {"cache-valkey", "objects-minio", "gateway", "auth", "meta", "postgres"}
        assert running(back, wanted) == wanted
        assert back.keyed("/auth/v1/user").stub == "auth"
        for path, service in {"/rest/v1/todos": "rest", "/storage/v1/bucket": "storage", "/functions/v1/x": "functions"}.items():
            answer = back.keyed(path, "SERVICE_ROLE_KEY")
            assert (answer.status, answer.json) == (404, {"message": f"{service} is not part of this stack"})
        assert {"REST_URL", "STORAGE_S3_URL", "FUNCTIONS_URL", "POOLER_URL"}.isdisjoint(back.clone.outputs())
        assert volume in {v.name for v in back.clone.daemon.client().volumes.list()}, "the files stay"
