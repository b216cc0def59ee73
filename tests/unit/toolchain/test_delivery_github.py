"""One comment a pull request, one issue a stack, on a server that stands for GitHub."""

import pytest

from tests.recording_github import GitHub, serving
from toolchain.announce import ToolchainError
from toolchain.delivery import github

MARKER = github.marker_of("preview", "prod")


@pytest.fixture
def hub(monkeypatch):
    with serving() as made:
        for name, value in made.environment().items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("SUPASTACK_COMMENT_AUTHOR", raising=False)
        yield made


def bodies(hub: GitHub) -> list[str]:
    return [comment["body"] for comment in hub.comments[12]]


def test_the_second_run_edits_the_comment_of_the_first(hub):
    github.needed().comment(12, MARKER, "first")
    github.needed().comment(12, MARKER, "second")
    assert bodies(hub) == [f"{MARKER}\nsecond"]
    assert [method for method, _ in hub.asked] == ["GET", "POST", "GET", "PATCH"]
    assert hub.tokens == {"Bearer ghs_token-of-the-test"}


def test_a_text_that_has_its_marker_already_gets_no_second_one(hub):
    github.needed().comment(12, MARKER, f"{MARKER}\nfirst")
    assert bodies(hub) == [f"{MARKER}\nfirst"]


def test_another_stacks_comment_and_one_of_somebody_else_with_our_marker_stay_as_they_are(hub):
    staging = github.marker_of("preview", "staging")
    hub.add_comment(12, f"{staging}\nstaging")
    hub.add_comment(12, f"{MARKER}\nlooks like ours", login="mallory")
    hub.add_comment(12, f"see {MARKER}")
    github.needed().comment(12, MARKER, "ours")
    assert bodies(hub) == [f"{staging}\nstaging", f"{MARKER}\nlooks like ours", f"see {MARKER}", f"{MARKER}\nours"]


def test_a_comment_behind_a_hundred_others_is_found(hub):
    for number in range(120):
        hub.add_comment(12, f"talk {number}", login="someone")
    hub.add_comment(12, f"{MARKER}\nfirst")
    github.needed().comment(12, MARKER, "second")
    assert bodies(hub)[-1] == f"{MARKER}\nsecond"
    assert len(bodies(hub)) == 121


def test_a_text_that_is_too_long_is_cut_where_github_takes_it_and_says_so(hub):
    github.needed().comment(12, MARKER, "x" * 70_000)
    (body,) = bodies(hub)
    assert len(body) <= github.LIMIT
    assert body.rstrip().endswith("in the log of the workflow's run.*")


def test_drift_has_one_issue_which_is_edited_and_closed_when_it_is_gone(hub):
    marker = github.marker_of("drift", "prod")
    ours = github.needed()
    ours.issue(marker, "Drift in stack prod", "one", "drift")
    ours.issue(marker, "Drift in stack prod", "two", "drift")
    (issue,) = hub.issues
    assert (issue["body"], issue["labels"], issue["state"]) == (f"{marker}\ntwo", ["drift"], "open")
    assert ours.close_issue(marker, "drift", "gone")
    assert issue["state"] == "closed"
    assert hub.comments[issue["number"]][0]["body"] == "gone"
    assert not ours.close_issue(marker, "drift", "gone")
    ours.issue(marker, "Drift in stack prod", "three", "drift")
    assert [i["state"] for i in hub.issues] == ["closed", "open"]


def test_whether_a_request_is_closed_is_asked_and_one_that_is_not_there_is_not_known(hub):
    hub.pulls = {12: "open", 13: "closed"}
    assert [github.needed().is_closed(number) for number in (12, 13, 14)] == [False, True, None]


def test_an_error_of_githubs_says_what_was_asked_and_which_right_is_missing_but_not_the_token(hub):
    hub.answer = (403, {"message": "Resource not accessible by integration"})
    with pytest.raises(ToolchainError, match=r"403 to GET .*not accessible by integration.*pull-requests") as raised:
        github.needed().comment(12, MARKER, "x")
    assert "ghs_token" not in str(raised.value)


def test_a_redirect_is_not_followed_with_the_token(hub):
    with serving() as elsewhere:
        hub.answer = (302, {"to": f"{elsewhere.api}/repos/team/app/pulls/12"})
        with pytest.raises(ToolchainError, match="302"):
            github.needed().is_closed(12)
        assert not elsewhere.asked


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("GITHUB_REPOSITORY", "team/app/../../x", "owner/name"),
        ("GITHUB_API_URL", "http://api.github.com", "https is wanted"),
        ("GITHUB_TOKEN", "", "not set"),
    ],
)
def test_what_would_send_the_token_elsewhere_is_refused(hub, monkeypatch, name, value, said):
    monkeypatch.setenv(name, value)
    with pytest.raises(ToolchainError, match=said):
        github.needed()
