"""What is said of an endpoint that is not as it must be: never a secret, and every error of a client names the endpoint."""

import pytest

from components.verification import network, postgres, probe
from components.verification.wrong import Wrong, told

ENDPOINT = {"what": "the pooler", "at": "db.example.com:6543", "setting": "supastack:poolerHost", "password": "a/b c@d"}


def test_it_names_the_endpoint_the_setting_why_and_the_fix() -> None:
    assert told(ENDPOINT, Wrong("the password is wrong", "give it anew", "supastack:databasePassword")) == (
        "verify: the pooler (db.example.com:6543): the password is wrong [supastack:databasePassword]. Fix: give it anew"
    )


def test_a_secret_that_a_server_repeats_is_hidden_in_every_form() -> None:
    line = told(ENDPOINT, Wrong("it answered: no entry for a/b c@d\n at x://u:a%2Fb%20c%40d@h", "mend it"))
    assert "a/b" not in line
    assert "a%2Fb" not in line
    assert "\n" not in line


def test_what_a_client_raises_unforeseen_is_told_without_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_endpoint: object) -> None:
        raise RuntimeError("could not read 'a/b c@d'")

    monkeypatch.setattr(probe.postgres, "reach", fails)
    (line,) = probe.before({"endpoints": [{**ENDPOINT, "kind": "postgres"}]}, preview=False)
    assert "the pooler (db.example.com:6543): it can't be asked: RuntimeError: could not read '(hidden)'" in line


@pytest.mark.parametrize(
    ("said", "reason", "setting"),
    [
        # Supavisor's words, by reading: no project of Supabase's platform was asked.
        ("FATAL:  Tenant or user not found", "the pooler knows no project behind postgres.ref", None),
        ("FATAL:  (ENOTFOUND) tenant/user postgres.ref not found", "the pooler knows no project behind postgres.ref", None),
        (
            'FATAL:  password authentication failed for user "postgres"',
            "the password of postgres.ref is wrong",
            "databasePassword",
        ),
        ("FATAL:  Wrong password", "the password of postgres.ref is wrong", "databasePassword"),
        (
            "FATAL:  Circuit breaker open: too many authentication failures, new connections are temporarily blocked",
            "turns this machine away for a while",
            "databasePassword",
        ),
        ('FATAL:  database "shop" does not exist', "there is no database shop", "database"),
        ("server does not support SSL, but SSL was required", "the server speaks no TLS", None),
        ("FATAL:  no pg_hba.conf entry for host", "lets nobody in from this machine", None),
        ("FATAL:  sorry, too many clients already", "sorry, too many clients already", None),
    ],
)
def test_what_a_database_says_is_told_as_what_it_means(said: str, reason: str, setting: str | None) -> None:
    endpoint = {
        "user": "postgres.ref",
        "database": "shop",
        "ca": None,
        "password_setting": "databasePassword",
        "password_fix": "set it",
        "database_setting": "database",
        "user_setting": "user",
    }
    wrong = postgres.why(Exception(f"connection failed: {said}"), endpoint)
    assert reason in wrong.reason
    assert wrong.setting == setting


def test_an_address_that_this_machine_has_no_way_to_names_the_pooler_as_the_way_out() -> None:
    wrong = network.why(OSError(101, "Network is unreachable"), None)
    assert "IPv6 address alone" in wrong.fix
    assert "postgres.<ref>" in wrong.fix
