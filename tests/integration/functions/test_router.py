"""Where calls go, what functions are given, and how failures look."""

import json
import subprocess

import pytest

from tests.integration.functions import conftest
from tests.integration.functions.tokens import KEY, KID, SECRET, encoded, public, token


def test_the_router_is_sound_typescript(deno, tmp_path):
    conftest.write(conftest.service(), tmp_path)
    done = subprocess.run([deno, "check", "--no-remote", "index.ts"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_its_health_needs_no_token(router):
    answer = router.call("/_internal/health")
    assert (answer.status, answer.json) == (200, {"message": "ok"})


def test_a_call_arrives_as_it_was(router):
    answer = router.call("/hello/a/b?c=1", token=token(), method="POST", body="the body", x_own="kept")
    got = answer.json["request"]
    assert (answer.status, got["method"], got["path"], answer.json["body"]) == (201, "POST", "/hello/a/b", "the body")
    assert got["headers"]["x-own"] == "kept"
    assert got["headers"]["authorization"].startswith("Bearer ")


def test_a_worker_gets_the_limits_of_the_settings(router):
    options = router.call("/hello", token=token()).json["options"]
    assert options["servicePath"].endswith("/functions/hello")
    assert (options["memoryLimitMb"], options["workerTimeoutMs"], options["cpuTimeHardLimitMs"]) == (200, 7000, 900)
    assert "cpuTimeSoftLimitMs" not in options


def test_a_function_sees_what_is_meant_for_it_and_nothing_else(router):
    seen = router.call("/hello", token=token()).json["environment"]
    assert set(seen) == {
        *("SUPABASE_URL", "SUPABASE_PUBLIC_URL", "SUPABASE_DB_URL", "SUPABASE_ANON_KEY", "SUPABASE_SERVICE_ROLE_KEY"),
        *("SUPABASE_PUBLISHABLE_KEYS", "SUPABASE_SECRET_KEYS", "SUPABASE_JWKS"),
        *("STRIPE_KEY", "GREETING"),
    }
    assert (seen["STRIPE_KEY"], seen["GREETING"]) == (conftest.HIDDEN, "hello")
    assert seen["SUPABASE_URL"] == "http://gateway:80"


def test_a_function_gets_the_public_keys_but_not_the_secret_that_stands_beside_them(router):
    seen = router.call("/hello", token=token()).json["environment"]
    assert json.loads(seen["SUPABASE_JWKS"])["keys"] == [public(KEY, KID)]
    assert encoded(SECRET.encode()) not in json.dumps(seen)
    assert SECRET not in json.dumps(seen)


def test_a_function_that_needs_no_token_is_called_without_one(router):
    assert router.call("/open").status == 201
    assert router.call("/open/further").status == 201


def test_a_browser_may_ask_without_a_token_whether_it_may_send_one(router):
    assert router.call("/hello", method="OPTIONS").status == 201


@pytest.mark.parametrize(
    "path",
    ["/unknown", "/closed", "/_shared", "/open%2f..", "//open", "/open.ts", "/1st", "/constructor", "/__proto__"],
)
def test_what_is_no_function_is_not_found_and_nothing_is_listed(router, path):
    answer = router.call(path, token=token())
    assert (answer.status, answer.json["code"]) == (404, "NOT_FOUND")
    assert set(answer.json) == {"code", "message", "msg"}
    assert "hello" not in answer.text


def test_who_has_no_token_does_not_learn_which_functions_there_are(router):
    assert router.call("/unknown").status == router.call("/hello").status == router.call("/closed").status == 401


@pytest.mark.parametrize("path", ["/", "/.", "/..", "/%2e%2e/", "/open/.."])
def test_a_path_without_a_function_is_told_so(router, path):
    assert (router.call(path).status, router.call(path).json["code"]) == (400, "MISSING_FUNCTION")


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("boom", 503, "BOOT_ERROR"),
        ("broken", 500, "WORKER_ERROR"),
        ("limit", 546, "WORKER_LIMIT"),
        ("slow", 504, "IDLE_TIMEOUT"),
        ("odd", 500, "INTERNAL_ERROR"),
    ],
)
def test_a_failure_is_named_and_its_trace_stays_in_the_log(router, name, status, code):
    answer = router.call(f"/{name}", token=token())
    assert (answer.status, answer.json["code"], answer.headers["sb-error-code"]) == (status, code, code)
    assert "a trace of the runtime" not in answer.text
    assert "a trace of the runtime" in router.log.read_text()


def test_a_worker_that_was_about_to_end_is_replaced(router):
    assert router.call("/retired", token=token()).status == 201
