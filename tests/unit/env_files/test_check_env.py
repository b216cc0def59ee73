"""What check-env says of a file, and its exit codes."""

import base64
import json

import pytest

from components import env_file_header
from components.check_env import NOT_WELL, USAGE, WELL, judge, main
from components.env_apps import APPS
from components.env_apps.nextjs import NEXTJS
from components.env_file_header import Owner
from components.env_rules import Rule, malformed


def token(role):
    def part(what):
        return base64.urlsafe_b64encode(json.dumps(what).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part({'role': role, 'iss': 'supabase'})}.c2lnbmF0dXJl"


GOOD = {
    "INSTANCE_ID": "1",
    "NEXT_PUBLIC_PORT": "3025",
    "NEXT_PUBLIC_SUPABASE_URL": "http://127.0.0.1:54321",
    "NEXT_PUBLIC_SUPABASE_ANON_KEY": token("anon"),
    "SUPABASE_SERVICE_ROLE_KEY": token("service_role"),
    "SETUP_PASSWORD": "hush-setup",
    "ADMIN_EMAIL": "admin@example.com",
    "ADMIN_PASSWORD": "hush-admin",
    "ADMIN_NAME": "Administrator",
    "DATABASE_URL": "postgresql://postgres:hush-db@127.0.0.1:54322/postgres",
}


def text(**changes):
    return "".join(f"{key}={value}\n" for key, value in {**GOOD, **changes}.items() if value is not None)


def problems(**changes):
    return list(judge(NEXTJS, text(**changes)).problems)


def test_a_good_file_has_no_problem_and_no_note():
    report = judge(NEXTJS, text())
    assert (report.problems, report.notes) == ((), ())


@pytest.mark.parametrize("key", GOOD)
def test_a_missing_variable_is_named_and_one_that_is_not_required_only_noted(key):
    report = judge(NEXTJS, text(**{key: None}))
    if APPS["nextjs"].variables[key].required:
        assert report.problems == (f"{key}: missing",)
    else:
        assert report.problems == ()
        assert report.notes == (f"{key}: missing, which is allowed",)


@pytest.mark.parametrize("key", GOOD)
@pytest.mark.parametrize("blank", ["", "''", '" "', "# nothing"])
def test_an_empty_variable_is_named(key, blank):
    assert problems(**{key: blank}) == [f"{key}: empty"]


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("INSTANCE_ID", "one", "not a whole number"),
        ("NEXT_PUBLIC_PORT", "0", "not a port"),
        ("NEXT_PUBLIC_PORT", "65536", "not a port"),
        ("NEXT_PUBLIC_PORT", "3025.0", "not a port"),
        ("NEXT_PUBLIC_SUPABASE_URL", "127.0.0.1:54321", "http:// or https://"),
        ("NEXT_PUBLIC_SUPABASE_URL", "https://", "http:// or https://"),
        ("NEXT_PUBLIC_SUPABASE_URL", "http://x:99999", "http:// or https://"),
        ("NEXT_PUBLIC_SUPABASE_URL", "http://[::1", "http:// or https://"),
        ("NEXT_PUBLIC_SUPABASE_URL", "'http://a b'", "http:// or https://"),
        ("DATABASE_URL", "mysql://u:p@h/d", "postgresql:// or postgres://"),
        ("ADMIN_EMAIL", "admin", "not an e-mail address"),
        ("ADMIN_NAME", "$ADMIN_NAME", "from itself"),
        ("NEXT_PUBLIC_SUPABASE_ANON_KEY", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...", "neither a JSON Web Token"),
        ("NEXT_PUBLIC_SUPABASE_ANON_KEY", "a.b.c", "neither a JSON Web Token"),
        ("NEXT_PUBLIC_SUPABASE_ANON_KEY", token("service_role"), "the service_role key, in the place of the anon key"),
        ("NEXT_PUBLIC_SUPABASE_ANON_KEY", "sb_secret_abc", "another kind than sb_publishable_"),
        ("SUPABASE_SERVICE_ROLE_KEY", token("anon"), "the anon key, in the place of the service_role key"),
        ("SUPABASE_SERVICE_ROLE_KEY", token("authenticated"), "role is not service_role"),
        ("SUPABASE_SERVICE_ROLE_KEY", "sb_publishable_abc", "another kind than sb_secret_"),
    ],
)
def test_a_malformed_value_is_named_with_the_reason(key, value, reason):
    (problem,) = problems(**{key: value})
    assert problem.startswith(f"{key}: malformed: ")
    assert reason in problem


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("NEXT_PUBLIC_SUPABASE_ANON_KEY", "sb_publishable_ACJ-_x"),
        ("SUPABASE_SERVICE_ROLE_KEY", "sb_secret_N7U-_x"),
        ("NEXT_PUBLIC_SUPABASE_URL", "https://abc.supabase.co"),
        ("NEXT_PUBLIC_SUPABASE_URL", '"http://[::1]:54321/"'),
        ("DATABASE_URL", "postgres://u@h/d?sslmode=require"),
        ("ADMIN_EMAIL", "admin@localhost"),
        ("SETUP_PASSWORD", "'with # and $ 5'"),
    ],
)
def test_other_good_values_are_taken(key, value):
    assert problems(**{key: value}) == []


def test_every_rule_is_tried_above():
    tried = {v.rule for v in NEXTJS.variables.values()}
    assert tried == set(Rule) - {Rule.BOOLEAN, Rule.REDIS_URL}


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [(Rule.BOOLEAN, "true", "yes"), (Rule.REDIS_URL, "redis://:p@127.0.0.1:6379", "http://127.0.0.1:6379")],
)
def test_rules_that_only_other_apps_have(rule, good, bad):
    assert malformed(rule, good) is None
    assert malformed(rule, bad)


def test_everything_is_told_at_once_and_sorted():
    found = judge(NEXTJS, "ADMIN_NAME=\nwhat is this\nNEXT_PUBLIC_PORT=x\n").problems
    assert [line.split(":")[0] for line in found] == ["line 2", *sorted(GOOD.keys() - {"DATABASE_URL"})]


def test_a_reference_to_a_variable_of_the_file_is_noted_and_one_to_none_is_a_problem():
    report = judge(NEXTJS, text(NEXT_PUBLIC_PORT="$APP_PORT", ADMIN_NAME="${APP_NAME}", ADMIN_EMAIL="x\\$y@z") + "APP_PORT=1\n")
    assert report.problems == ("ADMIN_NAME: malformed: takes its value from $APP_NAME, which this file does not set",)
    assert "NEXT_PUBLIC_PORT: takes its value from $APP_PORT; not looked into" in report.notes


def test_a_password_with_a_dollar_is_named_without_any_part_of_it():
    (problem,) = problems(SETUP_PASSWORD="'pa$$hush'")
    assert problem.startswith("SETUP_PASSWORD: malformed: ")
    assert "hush" not in problem


def test_unknown_keys_are_noted_and_what_may_be_a_piece_of_a_secret_is_only_counted():
    report = judge(NEXTJS, text() + "MY_FLAG=1\nMIIEvQIBADANBgkqhkiG9w0==\nHUNTER2=\n")
    assert report.problems == ()
    assert report.notes == ("MY_FLAG: not a variable of nextjs", "and 2 more that are not variables of nextjs")


def test_a_variable_that_stands_twice_is_noted():
    assert "ADMIN_NAME: stands 2 times, the last one counts" in judge(NEXTJS, text() + "ADMIN_NAME=x\n").notes


def test_a_docker_file_is_read_without_quoting(tmp_path):
    content = text(ADMIN_NAME="a#b 'c'", ADMIN_EMAIL="HOME").replace("ADMIN_EMAIL=HOME", "ADMIN_EMAIL")
    report = judge(NEXTJS, content, "docker")
    assert report.problems == ("ADMIN_EMAIL: missing",)
    assert report.notes == ("ADMIN_EMAIL: no value, docker takes its own environment's",)


# ---- the command ---------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    def make(content):
        path = tmp_path / "some.env"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return make


def test_the_exit_code_tells_a_good_file_from_a_bad_one(file, capsys):
    assert main([file(text()), "nextjs"]) == WELL
    assert "all is well" in capsys.readouterr().out
    assert main([file(text(ADMIN_NAME="")), "nextjs"]) == NOT_WELL
    assert "1 problem\n  ADMIN_NAME: empty\n" in capsys.readouterr().out


def test_the_words_that_make_passes_are_understood(file):
    assert main([f"FILE={file(text())}", "FOR=nextjs"]) == WELL


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["FILE=", "FOR="], "make check-env FILE=.env FOR=nextjs"),
        (["/nowhere/.env", "nextjs"], "/nowhere/.env: No such file"),
        (["/", "nextjs"], "/: Is a directory"),
    ],
)
def test_what_cannot_be_judged_is_exit_code_two(arguments, said, capsys):
    assert main(arguments) == USAGE
    assert said in capsys.readouterr().err


def test_an_unknown_app_and_bytes_that_are_no_text_are_exit_code_two(file, capsys):
    assert main([file(text()), "nuxt"]) == USAGE
    assert "nuxt" in capsys.readouterr().err
    assert main([file(b"A=\xff\n"), "nextjs"]) == USAGE
    assert "not UTF-8" in capsys.readouterr().err


def test_a_wrong_number_of_words_is_exit_code_two(capsys):
    with pytest.raises(SystemExit) as end:
        main([])
    assert end.value.code == USAGE


def test_a_file_of_ours_says_itself_how_it_is_written(file):
    body = text(ADMIN_NAME="a # b").encode()
    path = file(env_file_header.put(Owner("p", "s", "nextjs"), "docker", body))
    assert main([path, "nextjs"]) == WELL
    # As dotenv this one is empty.
    hash_first = file(env_file_header.put(Owner("p", "s", "nextjs"), "docker", text(ADMIN_NAME="#1").encode()))
    assert main([hash_first, "nextjs"]) == WELL
    assert main([hash_first, "nextjs", "--format", "dotenv"]) == NOT_WELL


def test_no_value_is_ever_printed(file, capsys):
    for mangled in (
        text(),
        text().replace("=", "='", 3),
        text().replace("SETUP_PASSWORD=", ""),
        text(ADMIN_EMAIL="hush", INSTANCE_ID="hush"),
    ):
        main([file(mangled), "nextjs"])
        said = capsys.readouterr()
        assert "hush" not in said.out + said.err


# ---- apps of a stack's own -------------------------------------------------------------------------------------------


@pytest.fixture
def config(tmp_path):
    def make(env_files, more=""):
        path = tmp_path / "Pulumi.dev.yaml"
        path.write_text(f"config:\n  supastack:envFiles: {json.dumps(env_files)}\n{more}")
        return str(path)

    return make


def test_an_app_of_the_stacks_own_is_known_by_its_stack_file(file, config, capsys):
    stack = config({"shop": {"variables": {"URL": "${API_URL}", "TOKEN": "${SERVICE_ROLE_KEY}", "MODE": ""}}})
    assert main([file(f"URL=http://h\nTOKEN={token('service_role')}\nMODE=\n"), "shop", "--config", stack]) == WELL
    assert "note: MODE: empty, which is allowed" in capsys.readouterr().out
    assert main([file(f"URL=h\nTOKEN={token('anon')}\n"), "shop", "--config", stack]) == NOT_WELL
    said = capsys.readouterr().out
    assert "MODE: missing" in said
    assert "TOKEN: malformed: the anon key" in said
    assert "URL: malformed" in said


def test_without_the_stack_file_it_is_not_known(file, capsys):
    assert main([file(""), "shop"]) == USAGE
    assert "no such app" in capsys.readouterr().err


def test_what_a_stack_file_adds_to_a_built_in_app_is_asked_for_too(file, config):
    stack = config({"nextjs": {"variables": {"EXTRA": "1"}}})
    assert main([file(text()), "nextjs", "--config", stack]) == NOT_WELL
    assert main([file(text() + "EXTRA=2\n"), "nextjs", "--config", stack]) == WELL


def test_settings_that_are_wrong_elsewhere_do_not_matter_and_those_of_the_app_are_told(file, config, capsys):
    stack = config({"nextjs": {}, "other": {"variables": {"A": "${NO_SUCH}"}}}, "  supastack:instance: 99\n")
    assert main([file(text()), "nextjs", "--config", stack]) == WELL
    assert main([file(text()), "other", "--config", stack]) == USAGE
    assert "supastack:envFiles.other.variables.A: no stack has a value NO_SUCH" in capsys.readouterr().err


def test_the_clis_config_is_read_as_toml(file):
    assert main([file("[api]\nport = 54321\n"), "supabase-cli"]) == WELL
    assert main([file('[api]\nport = "x"\n'), "supabase-cli"]) == NOT_WELL
    assert main([file("api = = 1\n"), "supabase-cli"]) == NOT_WELL


def test_a_key_that_is_a_secret_setting_is_asked_for_too(file, config):
    secrets = '  supastack:appSecrets: {shop: {TOKEN: {secure: "v1:abc"}}}\n'
    stack = config({"shop": {"variables": {"A": "1"}}}, secrets)
    assert main([file("A=1\n"), "shop", "--config", stack]) == NOT_WELL
    assert main([file("A=1\nTOKEN=x\n"), "shop", "--config", stack]) == WELL
