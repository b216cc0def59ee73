"""What breaks in the whole stack, and that the rest goes on and the next up mends it. The tests stand in the order of what happens."""

import socket

import pytest
import requests

from tests.integration.images.conftest import wait_for
from tests.integration.stack.whole import OPTIONAL, Whole, steps

pytestmark = [pytest.mark.docker, pytest.mark.engine]

ROUTES = {
    "/auth/v1/user": "auth",
    "/rest/v1/todos": "rest",
    "/realtime/v1/api/broadcast": "realtime",
    "/storage/v1/bucket": "storage",
    "/functions/v1/hello": "functions",
}


def api(whole_up: Whole) -> dict[str, str | int]:
    """Each service of the API behind the gateway, with who has answered for it; the status where none of them has."""
    found: dict[str, str | int] = {}
    for path, service in ROUTES.items():
        answer = whole_up.keyed(path, "SERVICE_ROLE_KEY")
        found[service] = answer.stub or answer.status
    found["meta"] = whole_up.keyed("/pg/schemas", "SERVICE_ROLE_KEY").status
    return found


def is_answering(whole_up: Whole) -> bool:
    """Whether all of the API does; nobody has waited for it."""
    try:
        return api(whole_up) == WELL
    except requests.RequestException:
        return False


WELL = {**{service: service for service in ROUTES.values()}, "meta": 200}


@pytest.fixture(scope="module")
def before(whole_up: Whole) -> dict[str, str]:
    """What ran, before anything was broken."""
    assert api(whole_up) == WELL
    return whole_up.ids()


def test_the_api_does_not_miss_an_optional_service_that_was_killed(whole_up: Whole, before: dict[str, str]):
    for name in OPTIONAL:
        whole_up.container(f"supabase-{name}").kill()
    assert api(whole_up) == WELL
    studio = whole_up.call(whole_up.outputs["STUDIO_URL"] + "/project/default", auth=whole_up.login)
    assert (studio.status, studio.stub) == (503, None), "so that they really were away"
    killed = {f"supabase-{name}" for name in OPTIONAL}
    states = whole_up.until_states({name: "healthy" for name in before if name not in killed})
    still = {name: state for name, state in states.items() if name not in killed}
    assert set(still.values()) == {"healthy", "exited"}


def test_a_needed_service_that_was_stopped_costs_its_own_routes_alone(whole_up: Whole, before: dict[str, str]):
    whole_up.container("supabase-auth").stop(timeout=5)
    whole_up.container("supabase-meta").kill()
    assert api(whole_up) == {**WELL, "auth": 503, "meta": 503}


def test_the_next_up_brings_all_of_them_back_and_touches_nothing_else(whole_up: Whole, before: dict[str, str]):
    gone = {f"supabase-{name}" for name in (*OPTIONAL, "auth", "meta")}
    shown = whole_up.up()
    # They are started again as they are: what a database or a cache would have in its container stays.
    assert steps(shown) == {"updated": len(gone), "unchanged": steps(shown)["unchanged"]}
    assert api(whole_up) == WELL
    now = whole_up.ids()
    assert {name for name in before if now.get(name) != before[name]} == gone
    assert whole_up.is_well()


def test_an_up_says_that_an_optional_service_is_not_well_and_goes_on(whole_up: Whole, before: dict[str, str]):
    whole_up.container("supabase-mail").pause()
    try:
        with whole_up.settings(healthTimeout=10):
            shown = whole_up.up()
    finally:
        whole_up.container("supabase-mail").unpause()
    assert "supastack-dev-supabase-mail is not well" in shown
    assert "Stack dev is up." in shown


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("supastack.local/stub:9", "supastack:images.overrides.rest = supastack.local/stub:9"),
        (
            "docker.io/postgrest/postgrest:v0-none",
            "postgrest/postgrest:v0-none: the image of rest, by supastack:images.overrides.rest",
        ),
    ],
)
def test_a_wrong_image_tag_is_told_with_its_setting_and_breaks_nothing(whole_up: Whole, reference: str, said: str):
    running = whole_up.ids()
    with whole_up.settings(images={"overrides": {"rest": reference}}):
        shown = whole_up.up(code=2)
    assert said in shown
    assert "Stack dev is up." not in shown
    assert "Traceback" not in shown
    assert whole_up.ids() == running
    assert api(whole_up) == WELL


def test_the_up_after_it_was_put_right_has_nothing_left_to_mend(whole_up: Whole):
    running = whole_up.ids()
    shown = whole_up.up()
    assert "Stack dev is up." in shown
    assert whole_up.ids() == running
    # A container is told the time that it is waited for again, and is not touched for it.
    assert set(steps(shown)) <= {"unchanged", "updated"}
    assert whole_up.is_well()


@pytest.fixture(scope="module")
def down(whole_up: Whole) -> None:
    """Nothing of the stack is there any more but its data."""
    whole_up.clone.make("down")


@pytest.mark.usefixtures("down")
def test_a_first_up_that_is_refused_by_a_check_touches_nothing(whole_up: Whole):
    port = int(whole_up.outputs["STUDIO_URL"].rsplit(":", 1)[1])
    with whole_up.clone.daemon.network():
        somebody = socket.create_server(("127.0.0.1", port))
    with somebody:
        shown = whole_up.up(code=2)
    assert f"port {port} on 127.0.0.1" in shown
    assert "Traceback" not in shown
    assert whole_up.containers() == {}


@pytest.mark.usefixtures("down")
def test_a_first_up_without_the_image_of_an_optional_service_brings_up_all_others(whole_up: Whole):
    file = whole_up.clone.root / whole_up.clone.outputs("dev")["ENV_FILES"]["nextjs"]
    with whole_up.settings(images={"overrides": {"studio": "docker.io/supabase/studio:v0-none"}}):
        shown = whole_up.up(code=2)
    assert "supabase/studio:v0-none: the image of studio, by supastack:images.overrides.studio" in shown
    assert "Stack dev is up." not in shown
    assert "Traceback" not in shown
    # Nothing says that it is well.
    assert not file.exists()
    wait_for(lambda: is_answering(whole_up), "the API to answer")
    assert "supabase-studio" not in whole_up.containers()
    shown = whole_up.up()
    assert "Stack dev is up." in shown
    assert {"created", "unchanged"} <= set(steps(shown))
    assert whole_up.is_well()
    assert file.exists()
