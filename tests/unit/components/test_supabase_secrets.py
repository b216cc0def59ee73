"""The secrets of a Supabase stack under a mocked engine: what is generated, what is made of it, and that all of it is secret."""

import json
from datetime import date

import jwt
import pulumi
import pytest

from components import keys, supabase_secrets
from components.services import secret_names as names
from components.setting_groups import complete
from tests.conftest import holders_of, unwrapped

PASSWORD = "random:index/randomPassword:RandomPassword"

GENERATED = {
    "supabase-database-password": 32,
    "supabase-jwt-secret": 40,
    "supabase-publishable-key": 22,
    "supabase-secret-key": 22,
    "supabase-signing-key": 64,
    "supabase-dashboard-password": 32,
    "supabase-secret-key-base": 64,
    "supabase-realtime-db-enc-key": 16,
    "supabase-vault-enc-key": 32,
    "supabase-pg-meta-crypto-key": 32,
    "supabase-s3-protocol-access-key-id": 32,
    "supabase-s3-protocol-access-key-secret": 64,
    "supabase-logflare-public-access-token": 32,
    "supabase-logflare-private-access-token": 32,
}
"""Length by the name of the resource."""

MADE = {
    names.ANON_KEY,
    names.SERVICE_ROLE_KEY,
    names.ANON_KEY_ASYMMETRIC,
    names.SERVICE_ROLE_KEY_ASYMMETRIC,
    names.JWT_KEYS,
    names.JWT_JWKS,
    names.DASHBOARD_HTPASSWD,
}


class Holder(pulumi.ComponentResource):
    """A component whose outputs are all secrets of a stack, by name."""

    def __init__(self, given=(), settings=None, only=None, **more):
        super().__init__("supastack:index:Holder", "supabase", {})
        completed = complete("supabase", settings)
        made = supabase_secrets.make(self, "supabase", settings=completed, given=dict(given), **more)
        self.names = set(made)
        self.register_outputs({name: made[name] for name in (made if only is None else only)})


def told(engine, **arguments) -> tuple[dict[str, str], object]:
    recorder = engine(lambda: Holder(**arguments))
    return unwrapped(recorder.outputs["supabase"]), recorder


def test_names_and_lengths_of_what_is_generated_never_change_and_all_of_it_is_protected(engine):
    _, recorder = told(engine)
    found = recorder.of_type(PASSWORD)
    assert {name: recorder.inputs(name)["length"] for name in found} == GENERATED
    assert all(request.protect for request in found.values())
    assert all(not recorder.inputs(name)["special"] for name in found)


@pytest.mark.parametrize(("synchronised", "used", "protected"), [(True, (), [True]), (False, (), []), (False, True, [False])])
def test_the_login_by_which_passwords_change_stays_with_the_data_whatever_runs(engine, synchronised, used, protected):
    """Kept by `down` and never out of the program, for who sleeps or is turned off has data, too."""
    login = {names.DATABASE_SYNC_PASSWORD} if used else ()
    _, recorder = told(engine, used=login, synchronised=synchronised)
    assert [r.protect for name, r in recorder.of_type(PASSWORD).items() if name == "supabase-database-sync-password"] == protected


def test_there_is_every_secret_that_a_stack_can_make(engine):
    values, _ = told(engine)
    assert values.keys() == {name.removeprefix("supabase-") for name in GENERATED} | MADE


def test_every_secret_is_a_secret_on_the_wire(engine):
    values, recorder = told(engine, given={names.SMTP_PASSWORD: "plain-from-a-user"})
    raw = recorder.outputs["supabase"]
    assert len(values) == len(GENERATED) + len(MADE) + 1
    for name, value in values.items():
        assert holders_of(value, raw[name]) == {"secret"}, name


def test_keys_and_tokens_are_made_of_the_generated_secrets(engine):
    values, _ = told(engine)
    shared = "generated-supabase-jwt-secret"
    assert values[names.JWT_SECRET] == shared
    for name, role in ((names.ANON_KEY, "anon"), (names.SERVICE_ROLE_KEY, "service_role")):
        assert jwt.decode(values[name], shared, algorithms=["HS256"])["role"] == role
    key_set = jwt.PyJWKSet.from_dict(json.loads(values[names.JWT_JWKS]))
    kid = json.loads(values[names.SIGNING_KEY])["kid"]
    for name, role in ((names.ANON_KEY_ASYMMETRIC, "anon"), (names.SERVICE_ROLE_KEY_ASYMMETRIC, "service_role")):
        assert jwt.decode(values[name], key_set[kid].key, algorithms=["ES256"])["role"] == role
    assert [key["kty"] for key in json.loads(values[names.JWT_KEYS])] == ["EC", "oct"]
    assert values[names.SECRET_KEY] == keys.opaque_key("sb_secret_", "generated-supabase-secret-key")
    assert values[names.DASHBOARD_HTPASSWD] == keys.htpasswd("supabase", "generated-supabase-dashboard-password")


OWN_KEY = keys.signing_key("a user's own")


def test_a_users_own_secrets_win_and_what_is_made_follows_them(engine):
    bare = {name: value for name, value in json.loads(OWN_KEY).items() if name in ("kty", "crv", "x", "y", "d")}
    own = {
        names.JWT_SECRET: "the-users-own-jwt-secret-of-40-characters",
        names.SIGNING_KEY: json.dumps(bare),
        names.DASHBOARD_PASSWORD: "own-dashboard",
        names.SECRET_KEY: "sb_secret_own",
        names.SERVICE_ROLE_KEY: "own.role.key",
    }
    values, recorder = told(engine, given=own)
    assert jwt.decode(values[names.ANON_KEY], own[names.JWT_SECRET], algorithms=["HS256"])["role"] == "anon"
    assert values[names.SIGNING_KEY] == OWN_KEY, "completed, as the services take it"
    assert jwt.get_unverified_header(values[names.ANON_KEY_ASYMMETRIC])["kid"] == json.loads(OWN_KEY)["kid"]
    assert values[names.DASHBOARD_HTPASSWD] == keys.htpasswd("supabase", "own-dashboard")
    assert values[names.SECRET_KEY] == "sb_secret_own"
    assert values[names.SERVICE_ROLE_KEY] == "own.role.key"
    assert set(recorder.of_type(PASSWORD)) == set(GENERATED), "a protected resource can't leave the program"
    for name in own:
        assert holders_of(values[name], recorder.outputs["supabase"][name]) == {"secret"}


def test_days_and_the_dashboards_user_come_from_the_settings(engine):
    values, _ = told(
        engine, settings={"keys": {"issuedAt": "2027-02-01", "expiresAt": "2027-03-01"}, "studio": {"username": "boss"}}
    )
    for name in (names.ANON_KEY, names.SERVICE_ROLE_KEY_ASYMMETRIC):
        claims = jwt.decode(values[name], options={"verify_signature": False})
        assert (claims["iat"], claims["exp"]) == (keys.seconds(date(2027, 2, 1)), keys.seconds(date(2027, 3, 1)))
    assert values[names.DASHBOARD_HTPASSWD].startswith("boss:{SHA}")


def test_nothing_is_made_that_nobody_asks_for(engine, monkeypatch: pytest.MonkeyPatch):
    for function in ("signing_key", "shared_token", "signed_token", "key_list", "key_set", "opaque_key", "htpasswd"):
        monkeypatch.setattr(keys, function, lambda *_: pytest.fail("made, though nobody asked"))
    values, _ = told(engine, only=[names.DATABASE_PASSWORD])
    assert values == {names.DATABASE_PASSWORD: "generated-supabase-database-password"}
