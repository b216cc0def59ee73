"""An app's values as Vercel's and GitHub's CLIs import them: which, how, and what is refused. The real readers are asked elsewhere."""

import pytest

from components import env_export
from components.env_apps.nextjs import NEXTJS
from components.env_export import Form

VALUES = {"NEXT_PUBLIC_SUPABASE_URL": "http://h", "SUPABASE_SERVICE_ROLE_KEY": "s3cret", "MINE": "own", "ADMIN_NAME": ""}


def test_github_keeps_secrets_and_variables_apart_and_what_is_not_known_counts_as_secret():
    assert env_export.chosen(NEXTJS, VALUES, Form.GITHUB_SECRETS) == {"MINE": "own", "SUPABASE_SERVICE_ROLE_KEY": "s3cret"}
    assert env_export.chosen(NEXTJS, VALUES, Form.GITHUB_VARIABLES) == {"NEXT_PUBLIC_SUPABASE_URL": "http://h"}


def test_vercel_is_given_all_sorted():
    assert list(env_export.chosen(NEXTJS, VALUES, Form.VERCEL)) == sorted(VALUES)


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "github_x", "9A", "A.B"])
def test_names_that_github_does_not_take_are_refused(name):
    assert env_export.faults({name: "1"}, Form.GITHUB_VARIABLES)
    assert not env_export.faults({name: "1"}, Form.VERCEL)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("a\rb", Form.VERCEL),
        ("a\0", Form.GITHUB_SECRETS),
        ("a b\\", Form.GITHUB_SECRETS),
        ("  zq", Form.VERCEL),
        ("x" * 50000, Form.GITHUB_SECRETS),
    ],
)
def test_what_a_reader_would_take_for_something_else_is_refused_without_the_value(value, form):
    (line,) = env_export.faults({"K": value}, form)
    assert line.startswith("K: ")
    assert value not in line


def test_values_that_go_elsewhere_and_name_what_is_only_here_are_told_of():
    values = {
        "HERE": "http://u:p@127.0.0.1:1/x",
        "POD": "postgresql://u:p@postgres.backend.svc.cluster.local:5432/d",
        "OUT": "https://svc.example.com",
    }
    here, pod = env_export.unreachable(values)
    assert "this machine" in here
    assert here.endswith(": HERE")
    assert "the cluster" in pod
    assert pod.endswith(": POD")
