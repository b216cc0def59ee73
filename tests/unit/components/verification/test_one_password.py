"""Databases with the same password: a wrong one is given to one of them alone."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from components.verification import postgres, probe
from components.verification.wrong import Wrong

WAYS = ("direct", "session", "transaction", "replica")


def _endpoint(what: str, of: str = "") -> dict[str, Any]:
    return {
        "kind": "postgres",
        "what": what,
        "at": f"{what}:5432",
        "setting": "host",
        "password": "word",
        "password_setting": f"databasePassword{of}",
    }


Ask = Callable[..., list[str]]


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Asks endpoints of which some are away, and some do not take what they are given. Whom a password was given to is in `given`."""

    def asked(*endpoints: dict[str, Any], away: tuple[str, ...] = (), wrong: Mapping[str, Wrong], given: list[str]) -> list[str]:
        def reach(endpoint: Mapping[str, Any]) -> None:
            if endpoint["what"] in away:
                raise Wrong("the connection is refused", "see", silent=True)

        def log_in(endpoint: Mapping[str, Any]) -> None:
            given.append(endpoint["what"])
            if endpoint["what"] in wrong:
                raise wrong[endpoint["what"]]

        monkeypatch.setattr(postgres, "reach", reach)
        monkeypatch.setattr(postgres, "log_in", log_in)
        return list(probe.before({"endpoints": list(endpoints)}, preview=False))

    return asked


REFUSED = dict.fromkeys(WAYS, Wrong("the password is wrong", "give it anew", password=True))


def test_a_wrong_password_is_given_to_the_first_alone_and_the_others_are_named(ask: Ask) -> None:
    given: list[str] = []
    found = ask(*map(_endpoint, WAYS), wrong=REFUSED, given=given)
    assert given == ["direct"]
    assert [line.partition(":")[2].strip().partition(" (")[0] for line in found[:1]] == ["direct"]
    assert found[1:] == [
        "verify: not asked with that password too, since whoever gives a few wrong ones may be banned: "
        "session (session:5432), transaction (transaction:5432), replica (replica:5432)"
    ]


def test_where_the_first_can_not_be_reached_the_next_is_asked_and_both_are_named(ask: Ask) -> None:
    given: list[str] = []
    found = ask(*map(_endpoint, WAYS), away=("direct", "replica"), wrong=REFUSED, given=given)
    assert given == ["session"]
    assert [line.split()[1] for line in found] == ["direct", "session", "replica", "not"]
    assert found[-1].endswith(": transaction (transaction:5432)")


def test_who_fails_otherwise_says_nothing_of_the_password_so_the_next_is_asked_alone(ask: Ask) -> None:
    given: list[str] = []
    ask(*map(_endpoint, WAYS), wrong={**REFUSED, "direct": Wrong("it speaks no TLS", "mend it")}, given=given)
    assert given == ["direct", "session"]


def test_a_right_password_is_given_to_all(ask: Ask) -> None:
    given: list[str] = []
    found = ask(*map(_endpoint, WAYS), wrong={"replica": Wrong("it is ill", "mend it")}, given=given)
    assert given[0] == "direct"
    assert sorted(given) == sorted(WAYS)
    assert [line.split()[1] for line in found] == ["replica"]


def test_another_password_is_tried_by_itself(ask: Ask) -> None:
    given: list[str] = []
    ask(_endpoint("direct"), _endpoint("session"), _endpoint("theirs", of="-of-acme"), wrong=REFUSED, given=given)
    assert sorted(given) == ["direct", "theirs"]


def test_a_database_of_supabase_that_does_not_answer_may_have_banned_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise Wrong("the connection is refused", "see that it runs", silent=True)

    monkeypatch.setattr(postgres.network, "reach", refuse)
    endpoint = {"host": "h", "port": 5432, "sslmode": "prefer"}
    with pytest.raises(Wrong) as theirs:
        postgres.reach({**endpoint, "banned_fix": "or it is banned"})
    assert theirs.value.fix == "see that it runs; or it is banned"
    with pytest.raises(Wrong) as anothers:
        postgres.reach(endpoint)
    assert anothers.value.fix == "see that it runs"


def test_nobody_logs_in_with_a_password_that_the_stack_is_yet_to_make(monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(**_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("psycopg.connect", connect)
    postgres.log_in({"password": None})
