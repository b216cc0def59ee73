"""How values are written and read back. Whether the real readers agree is seen in tests/integration/env_files."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.env_format import Format, assignment, read, unwritable, write

NASTY = "aB0_ '\"`$\\{}()#!=:;&|<>*?~%^@,.[]-+/\n\t\r\0né漢😀\u00a0\u2028\ufeff\x01\x7f"
values = st.text(st.sampled_from(NASTY) | st.characters(codec="utf-8"), max_size=12)


@given(values)
@pytest.mark.parametrize("fmt", Format)
def test_what_is_written_is_read_back(fmt, value):
    if unwritable(value, fmt) is None:
        reading = read(f"BEFORE=1\nKEY={write(value, fmt)}\nAFTER='x'\n", fmt)
        assert reading.values == {"BEFORE": "1", "KEY": value, "AFTER": "'x'" if fmt is Format.DOCKER else "x"}
        assert reading.bad_lines == ()


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("54321", "54321"),
        ("0", "0"),
        ("-1", "-1"),
        ("007", '"007"'),
        ("true", "true"),
        ("True", '"True"'),
        ('["public", "a\\"b"]', '["public", "a\\"b"]'),
        ("[1,true]", "[1, true]"),
        ("[{}]", '"[{}]"'),
        ("[not json", '"[not json"'),
        ("", '""'),
        ("a\x7f\n", '"a\\u007F\\n"'),
    ],
)
def test_numbers_truth_values_and_lists_stand_bare_in_toml_and_all_else_is_text(value, written):
    assert write(value, Format.TOML) == written
    assert tomllib.loads(assignment("a.b", value, Format.TOML))["a"]["b"] is not None


def test_toml_is_read_by_dotted_keys_however_it_is_written():
    text = 'id = "x"\n[api]\nport = 1\nschemas = ["a"]\n[auth.email]\nenabled = true\n'
    assert read(text, Format.TOML).values == {
        "id": "x",
        "api.port": "1",
        "api.schemas": '["a"]',
        "auth.email.enabled": "true",
    }


def test_what_is_no_toml_says_in_which_line():
    assert read("a = 1\nb = = 2\n", Format.TOML).bad_lines == (2,)
    assert read("a = [\n", Format.TOML).bad_lines


@given(values)
@pytest.mark.parametrize("fmt", Format)
def test_a_reason_never_holds_the_value(fmt, value):
    marked = f"secretpart{value}"
    reason = unwritable(marked, fmt)
    assert reason is None or "secretpart" not in reason


@given(st.text("ABCxyz019_-./:@%+,=", min_size=1))
def test_generated_values_and_plain_urls_are_written_as_they_are(value):
    assert unwritable(value, Format.DOTENV) is None
    assert write(value, Format.DOTENV) == value


@pytest.mark.parametrize(
    "value",
    [
        "$HOME",
        "a$b",
        "${HOME}",
        "x${HOME",
        "$1",
        "a\\$b",
        "pa$$word",
        "a\rb",
        "a\0b",
        "\ud800",
        'it\'s "so"',
        "it's `so`",
        "it's \\",
        "it's \\n",
        "'${",
        "'$(",
        "'$$",
    ],
)
def test_what_some_reader_would_change_is_refused_in_dotenv(value):
    assert unwritable(value, Format.DOTENV)


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "  a ",
        "a#b",
        "#",
        "a b",
        '"',
        "`",
        "\\",
        "\\\\",
        "a\\nb",
        "a\nb",
        "\n",
        "!",
        "~",
        "$",
        "a$",
        "$ 5",
        "$(x)",
        "it's",
        "it's 5$",
        "it's \\d",
        '{"a": "b"}',
        "é 漢 😀",
        "\u00a0",
        "\ufeff",
        "\t",
        "a=b",
        "%Y",
        "&&",
    ],
)
def test_what_all_readers_can_agree_on_is_taken_in_dotenv(value):
    assert unwritable(value, Format.DOTENV) is None


@pytest.mark.parametrize("value", ["a\nb", "\n", "a\r", "a\0", "\udc80", "é" * 40_000])
def test_what_docker_cannot_read_is_refused(value):
    assert unwritable(value, Format.DOCKER)


@pytest.mark.parametrize("value", ["", "  a ", "$HOME", "'a'", '"', "#", "a#b", "a\rb", "\t", "é", "a=b"])
def test_what_docker_reads_as_it_stands_is_taken(value):
    assert unwritable(value, Format.DOCKER) is None
    assert write(value, Format.DOCKER) == value


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1", {"A": "1"}),
        ("export A=1 # one", {"A": "1"}),
        (" A = 1 \r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("A: 1", {"A": "1"}),
        ("A=a#b", {"A": "a"}),
        ("A='a#b' # c", {"A": "a#b"}),
        ('A="a\\nb"', {"A": "a\nb"}),
        ("A='a\\nb'", {"A": "a\\nb"}),
        ("A=`a'\"b`", {"A": "a'\"b"}),
        ("A='a\nb'\nC=1", {"A": "a\nb", "C": "1"}),
        ("A=\nB=1", {"A": "", "B": "1"}),
        ("A=1\nA=2", {"A": "2"}),
        ("# A=1", {}),
        ("A='open\nB=1", {"A": "'open", "B": "1"}),
    ],
)
def test_files_of_others_are_read_as_dotenv_reads_them(text, found):
    assert read(text).values == found


def test_lines_that_no_reader_understands_are_counted_by_number():
    assert read("A=1\n\n# fine\nnot so\nB='x\ny'\n=1\n").bad_lines == (4, 7)
    assert read("A=1\n#x\nA B=2\n=3\n", Format.DOCKER).bad_lines == (3, 4)


def test_an_entry_says_where_it_stands():
    assert [(e.key, e.line) for e in read("# x\n\nA='1\n2'\nB=3\n").entries] == [("A", 3), ("B", 5)]


def test_a_docker_line_without_a_value_takes_the_environments():
    (entry,) = read("HOME\n", Format.DOCKER).entries
    assert (entry.key, entry.value) == ("HOME", None)
    assert read("HOME\n", Format.DOCKER).values == {}
