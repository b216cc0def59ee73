"""The random plugin over its life in the engine, held against what the official one does.

Sources, named beside each expectation:
  R  pulumi/pulumi-random, provider/testdata/recorded/TestProviderUpgrade/<type>/4.16.0/grpc.json: calls of the official plugin
  S  pulumi/pulumi-random, provider/cmd/pulumi-resource-random/schema.json
  T  hashicorp/terraform-provider-random, internal/provider/resource_<type>.go and internal/random/string.go (04572027, 0117aa60)
"""

import base64
import string
from importlib import metadata

import bcrypt
import pytest

from .harness import PLUGINS, Project, forms_of

pytestmark = pytest.mark.engine
stand_in_only = pytest.mark.skipif(
    PLUGINS != "stand-in", reason="the official plugin is different here, see toolchain/plugins/random"
)

IMPORT = """
import pulumi, pulumi_random as random
"""
ALL = (
    IMPORT
    + """
random.RandomPassword("password", length=24, min_lower=2, min_upper=2, min_numeric=2, min_special=2)
random.RandomString("string", length=16, special=False)
random.RandomBytes("bytes", length=16)
random.RandomId("id", byte_length=8, prefix="pre-")
random.RandomUuid("uuid", keepers={"a": "1"})
"""
)
VERSION = metadata.version("pulumi-random")
NAMES = {"password", "string", "bytes", "id", "uuid"}
SPECIAL = "!@#$%&*()-_=+[]{}<>:?"  # T: string.go, specialChars
REPLACED = ["create-replacement", "replace", "delete-replaced"]


def test_every_type_is_created_once_and_stays_until_it_is_deleted(project: Project) -> None:
    assert project.preview(ALL).ops() == {name: ["create"] for name in NAMES}
    assert project.state() == {}
    assert project.up(ALL).ops() == {name: ["create"] for name in NAMES}
    made = project.state()
    assert project.preview(ALL).ops() == {}
    assert project.up(ALL, "--refresh").ops() == {}
    assert project.refresh().ops() == {}  # T: Read is empty, there is nothing that could drift
    assert project.state() == made
    fewer = ALL.replace('random.RandomUuid("uuid", keepers={"a": "1"})', "")
    assert project.up(fewer).ops() == {"uuid": ["delete"]}
    assert project.destroy().ops() == {name: ["delete"] for name in NAMES - {"uuid"}}
    assert project.state() == {}


def test_the_outputs_are_those_of_the_official_plugin(project: Project) -> None:
    project.up(ALL)
    made = project.state()
    password = made["password"]
    assert password.id == "none"  # R: index_randompassword
    assert {k: v for k, v in password.outputs.items() if k not in ("result", "bcryptHash", "__pulumi_raw_state_delta")} == {
        "__meta": '{"schema_version":"3"}',  # R; the official plugin reads it when it takes a state over
        "id": "none",
        "length": 24,
        "lower": True,
        "upper": True,
        "special": True,
        "number": True,  # R: both names are in the outputs
        "numeric": True,
        "minLower": 2,
        "minUpper": 2,
        "minNumeric": 2,
        "minSpecial": 2,
    }
    result = password.outputs["result"]
    assert len(result) == 24
    for characters in (string.ascii_lowercase, string.ascii_uppercase, string.digits, SPECIAL):
        assert sum(c in characters for c in result) >= 2
    assert password.outputs["bcryptHash"].startswith("$2a$10$")  # R
    assert bcrypt.checkpw(result.encode(), password.outputs["bcryptHash"].encode())

    text = made["string"]
    assert text.id == text.outputs["id"] == text.outputs["result"]  # R: index_randomstring
    assert text.outputs["__meta"] == '{"schema_version":"2"}'  # R
    assert [text.outputs[k] for k in ("minLower", "minUpper", "minNumeric", "minSpecial")] == [0, 0, 0, 0]  # R
    assert len(text.outputs["result"]) == 16
    assert text.outputs["result"].isalnum()

    some = made["bytes"].outputs
    value = base64.b64decode(some["base64"])  # R: index_randombytes, padded
    assert (len(value), some["hex"], some["length"]) == (16, value.hex(), 16)

    made_id = made["id"]
    value = base64.urlsafe_b64decode(made_id.id + "=")
    assert len(value) == 8
    # T: the prefix stands before every form but the id; R: b64Url without padding, b64Std with it
    assert made_id.outputs == {
        **made_id.outputs,
        "id": made_id.id,
        "b64Url": "pre-" + base64.urlsafe_b64encode(value).decode().rstrip("="),
        "b64Std": "pre-" + base64.b64encode(value).decode(),
        "hex": "pre-" + value.hex(),
        "dec": "pre-" + str(int.from_bytes(value, "big")),
        "byteLength": 8,
        "prefix": "pre-",
    }

    uuid = made["uuid"]
    assert uuid.id == uuid.outputs["id"] == uuid.outputs["result"]  # R: index_randomuuid
    assert [len(part) for part in uuid.outputs["result"].split("-")] == [8, 4, 4, 4, 12]
    assert set(uuid.outputs["result"]) <= set("0123456789abcdef-")


@stand_in_only
def test_the_id_of_random_bytes_is_not_the_bytes(project: Project) -> None:
    # The official one's is (pulumi-random, provider/resources.go, computeRandomBytesID), in clear in the state.
    project.up(ALL)
    assert project.state()["bytes"].id == "none"


TEXT = {"length": "20", "lower": "True", "upper": "True", "numeric": "True", "special": "True", "keepers": '{"a": "1"}'}
CHANGES = [
    # T: RequiresReplace stands at every one of these; keepers: RequiresReplaceIfValuesNotNull
    *(
        (kind, TEXT, change, field)
        for kind in ("RandomPassword", "RandomString")
        for change, field in (
            ({"length": "21"}, "length"),
            ({"lower": "False"}, "lower"),
            ({"upper": "False"}, "upper"),
            ({"numeric": "False"}, "numeric"),
            ({"special": "False"}, "special"),
            ({"min_lower": "1"}, "minLower"),
            ({"min_upper": "1"}, "minUpper"),
            ({"min_numeric": "1"}, "minNumeric"),
            ({"min_special": "1"}, "minSpecial"),
            ({"override_special": '"_-"'}, "overrideSpecial"),
            ({"keepers": '{"a": "2"}'}, "keepers"),
            ({"keepers": "None"}, "keepers"),
        )
    ),
    ("RandomBytes", {"length": "8"}, {"length": "9"}, "length"),
    ("RandomBytes", {"length": "8"}, {"keepers": '{"a": "1"}'}, "keepers"),
    ("RandomId", {"byte_length": "8"}, {"byte_length": "9"}, "byteLength"),
    ("RandomId", {"byte_length": "8"}, {"prefix": '"p"'}, "prefix"),
    ("RandomId", {"byte_length": "8"}, {"keepers": '{"a": "1"}'}, "keepers"),
    ("RandomUuid", {}, {"keepers": '{"a": "1"}'}, "keepers"),
]


def test_each_change_of_an_input_replaces(project: Project) -> None:
    def program(*, changed: bool) -> str:
        lines = [IMPORT]
        for number, (kind, inputs, change, _) in enumerate(CHANGES):
            given = ", ".join(f"{key}={value}" for key, value in {**inputs, **(change if changed else {})}.items())
            lines.append(f'random.{kind}("r{number}", {given})')
        return "\n".join(lines)

    project.up(program(changed=False))
    before = project.state()
    run = project.up(program(changed=True))
    after = project.state()
    for number, (kind, _, change, field) in enumerate(CHANGES):
        name = f"r{number}"
        case = (kind, change)
        assert run.ops().get(name) == REPLACED, case  # a new one first: nothing sets deleteBeforeReplace
        # number and numeric are one setting with two names (T: NumberNumericAttributePlanModifier)
        assert run.step(name, "replace").replacing - {"number"} == {field}, case
        assert before[name].outputs != after[name].outputs, case
    assert project.up(program(changed=True)).ops() == {}


def test_leaving_out_what_has_its_default_changes_nothing(project: Project) -> None:
    # T: Default, and NumberNumericAttributePlanModifier
    explicit = IMPORT + 'random.RandomString("s", length=12, lower=True, number=True, min_special=0)'
    project.up(explicit)
    assert project.up(IMPORT + 'random.RandomString("s", length=12)').ops() == {}


def test_an_empty_override_left_out_updates_and_keeps_the_value(project: Project) -> None:
    # T: RequiresReplaceUnlessEmptyStringToNull, in stringplanmodifiers
    project.up(IMPORT + 'random.RandomPassword("p", length=12, override_special="")')
    before = project.state()["p"]
    assert project.up(IMPORT + 'random.RandomPassword("p", length=12)').ops() == {"p": ["update"]}
    after = project.state()["p"]
    assert (after.outputs["result"], after.outputs["bcryptHash"]) == (before.outputs["result"], before.outputs["bcryptHash"])
    assert "overrideSpecial" not in after.outputs
    assert project.secret_outputs("p") == {"result", "bcryptHash"}


def test_the_character_classes_and_minimums_hold(project: Project) -> None:
    project.up(
        IMPORT
        + """
random.RandomString("override", length=40, override_special="_-", lower=False, upper=False, numeric=False)
random.RandomString("number", length=40, number=False, special=False)
random.RandomString("exact", length=8, min_lower=2, min_upper=2, min_numeric=2, min_special=2)
random.RandomString("unused", length=10, lower=False, min_lower=3, special=False, upper=False)
random.RandomPassword("long", length=100)
"""
    )
    made = project.state()
    assert set(made["override"].outputs["result"]) <= set("_-")
    assert set(made["number"].outputs["result"]) <= set(string.ascii_letters)
    assert made["number"].outputs["numeric"] is False  # R: both names
    counted = [sum(c in cs for c in made["exact"].outputs["result"]) for cs in (string.ascii_lowercase, string.digits, SPECIAL)]
    assert counted == [2, 2, 2]
    # T: string.go, CreateString draws the minimum of a class that is not used otherwise
    unused = made["unused"].outputs["result"]
    assert sum(c in string.ascii_lowercase for c in unused) == 3
    assert sum(c in string.digits for c in unused) == 7
    # T: CHANGELOG 3.5.1, #397: bcrypt is given the first 72 bytes
    long = made["long"].outputs
    assert bcrypt.checkpw(long["result"].encode()[:72], long["bcryptHash"].encode())


REFUSED = {
    'RandomPassword("p", length=0)': ["length", "at least 1"],  # T: int64validator.AtLeast(1)
    'RandomString("p", length=0)': ["length", "at least 1"],
    'RandomBytes("p", length=0)': ["length", "at least 1"],
    'RandomPassword("p", length=3, min_lower=2, min_upper=2)': ["length", "at least", "sum"],  # T: AtLeastSumOf
    # T: NumberNumericAttributePlanModifier adds this error
    'RandomPassword("p", length=3, number=True, numeric=False)': ["umber and numeric are both"],
}
REFUSED_BY_STAND_IN = {
    'RandomId("p", byte_length=0)': ["byteLength", "at least 1"],
    'RandomString("p", length=3, min_upper=-1)': ["minUpper", "at least 0"],
    'RandomString("p", length=3, override_special="\u00e9")': ["overrideSpecial", "ASCII"],
    'RandomString("p", length=3, lower=False, upper=False, numeric=False, special=False)': ["are all false"],
}


def test_what_can_not_be_right_is_refused_before_anything_is_made(project: Project) -> None:
    for resource, words in {**REFUSED, **(REFUSED_BY_STAND_IN if PLUGINS == "stand-in" else {})}.items():
        run = project.preview(f"{IMPORT}random.{resource}", fails=True)
        assert all(word in " ".join(run.errors) for word in words), run.text
        assert "Traceback" not in run.text
    run = project.up(f"{IMPORT}random.{next(iter(REFUSED))}", fails=True)
    assert "at least 1" in run.text
    assert project.state() == {}


@stand_in_only
def test_a_type_or_field_it_does_not_have_is_refused_by_name(project: Project) -> None:
    uuid_of_a_colour = (
        'pulumi.CustomResource("random:index/randomUuid:RandomUuid", "p", {"colour": 1},'
        f' pulumi.ResourceOptions(version="{VERSION}"))'
    )
    for resource, named in {
        'random.RandomPet("p")': "random:index/randomPet:RandomPet",
        'random.RandomInteger("p", min=1, max=2)': "random:index/randomInteger:RandomInteger",
        uuid_of_a_colour: "colour",
    }.items():
        run = project.preview(IMPORT + resource, fails=True)
        (error,) = (e for e in run.errors if named in e)
        assert f"Supastack's stand-in for the official Pulumi plugin random {VERSION}" in error
        assert f"pulumi plugin install resource random {VERSION}" in error


def test_secret_outputs_are_nowhere_in_clear(project: Project) -> None:
    program = ALL + 'pulumi.export("string", pulumi.Output.from_input("shown"))\n'
    texts = [project.preview(program).text, project.preview(program, "--diff").text, project.up(program).text]
    assert project.secret_outputs("password") == {"result", "bcryptHash"}  # S: secret
    assert project.secret_outputs("bytes") == {"base64", "hex"}  # S: secret
    assert project.secret_outputs("string") == project.secret_outputs("id") == project.secret_outputs("uuid") == set()  # S
    made = project.state()
    texts += [
        project.preview(program, "--diff").text,
        project.refresh().text,
        project.up(program.replace("length=24", "length=25"), "--diff").text,
        project.pulumi("stack", "export"),
    ]
    stored = project.stored()
    # What is not secret is found, so the search finds what is there.
    assert made["string"].outputs["result"].encode() in stored
    values = [made["password"].outputs["result"], made["password"].outputs["bcryptHash"]]
    if PLUGINS == "stand-in":  # the official plugin's id is the bytes, in clear (resources.go, computeRandomBytesID)
        values += [made["bytes"].outputs["base64"], made["bytes"].outputs["hex"]]
        assert base64.b64decode(made["bytes"].outputs["base64"]) not in stored
    for value in values:
        for form in forms_of(value):
            assert form not in stored
            assert form not in "".join(texts).encode()


@stand_in_only
def test_the_plugin_itself_marks_what_is_secret(project: Project) -> None:
    # The SDK's classes declare secret outputs of their own; a program without them still gets them secret (R: Create's answers).
    project.up(
        IMPORT
        + f"""
options = pulumi.ResourceOptions(version="{VERSION}")
pulumi.CustomResource("random:index/randomPassword:RandomPassword", "password", {{"length": 20}}, options)
pulumi.CustomResource("random:index/randomBytes:RandomBytes", "bytes", {{"length": 20}}, options)
"""
    )
    assert project.secret_outputs("password") == {"result", "bcryptHash"}
    assert project.secret_outputs("bytes") == {"base64", "hex"}


def test_what_is_made_from_a_secret_prefix_is_secret(project: Project) -> None:
    program = IMPORT + 'random.RandomId("id", byte_length=4, prefix=pulumi.Output.secret("hidden-prefix-"))'
    project.up(program)
    assert project.secret_outputs("id") == {"prefix", "b64Std", "b64Url", "dec", "hex"}
    assert project.state()["id"].outputs["hex"].startswith("hidden-prefix-")
    project.refresh()
    assert project.secret_outputs("id") == {"prefix", "b64Std", "b64Url", "dec", "hex"}
    assert not any(form in project.stored() for form in forms_of("hidden-prefix-"))


def test_secret_keepers_stay_secret(project: Project) -> None:
    program = (
        IMPORT + 'random.RandomUuid("u", keepers={"shown": "seen-in-state", "hidden": pulumi.Output.secret("keeper-unseen")})'
    )
    texts = [project.preview(program, "--diff").text, project.up(program).text]
    assert project.state()["u"].outputs["keepers"] == {"shown": "seen-in-state", "hidden": "keeper-unseen"}
    changed = program.replace("keeper-unseen", "keeper-changed")
    texts.append(project.preview(changed, "--diff").text)
    run = project.up(changed)
    assert run.ops() == {"u": REPLACED}
    assert b"seen-in-state" in project.stored()
    for secret in ("keeper-unseen", "keeper-changed"):
        for form in forms_of(secret):
            assert form not in project.stored()
            assert form not in "".join([*texts, run.text]).encode()


def test_unknown_values_stay_unknown_in_a_preview(project: Project) -> None:
    program = (
        IMPORT
        + """
first = random.RandomId("first", byte_length=4)
second = random.RandomId("second", byte_length=4, prefix=first.hex, keepers={"first": first.hex})
seen = []
first.hex.apply(lambda value: seen.append(value))
second.prefix.apply(lambda value: seen.append(value))
pulumi.export("hex", first.hex)
pulumi.export("seen", pulumi.Output.all(first.hex, second.prefix).apply(lambda _: len(seen)))
pulumi.export("length", first.byte_length)
"""
    )
    run = project.preview(program)
    assert run.ops() == {"first": ["create"], "second": ["create"]}
    assert "04da6b54" not in run.text
    project.up(program)
    assert project.preview(program).ops() == {}
    # What hangs on a replaced value is replaced too, since it may be anything (T: RequiresReplace of an unknown value).
    changed = program.replace('"first", byte_length=4', '"first", byte_length=5')
    assert {name: ops[0] for name, ops in project.preview(changed).ops().items()} == {
        "first": "create-replacement",
        "second": "create-replacement",
    }
    project.up(changed)
    made = project.state()
    assert made["second"].outputs["prefix"] == made["first"].outputs["hex"]


def test_a_resource_inside_a_component_is_served_too(project: Project) -> None:
    # Its URN holds its parents' types before its own.
    program = (
        IMPORT
        + """
outer = pulumi.ComponentResource("test:index:Outer", "outer")
inner = pulumi.ComponentResource("test:index:Inner", "inner", opts=pulumi.ResourceOptions(parent=outer))
random.RandomId("id", byte_length=4, opts=pulumi.ResourceOptions(parent=inner))
"""
    )
    assert project.up(program).ops()["id"] == ["create"]
    assert project.up(program, "--refresh").ops() == {}


IMPORTS = """
random.RandomPassword("password", length=14, opts=pulumi.ResourceOptions(import_="securepassword"))
random.RandomString("string", length=4, opts=pulumi.ResourceOptions(import_="test"))
random.RandomBytes("bytes", length=16, opts=pulumi.ResourceOptions(import_="8/fu3q+2DcgSJ19i0jZ5Cw=="))
random.RandomId("id", byte_length=8, prefix="pre-", opts=pulumi.ResourceOptions(import_="pre-,p-9hUg8rJZ0"))
random.RandomUuid("uuid", opts=pulumi.ResourceOptions(import_="aabbccdd-eeff-0011-2233-445566778899"))
"""


def test_every_type_can_be_imported(project: Project) -> None:
    # S: the "Import" section of each type's description
    assert project.up(IMPORT + IMPORTS).ops() == {name: ["import"] for name in NAMES}
    made = project.state()
    assert made["password"].outputs["result"] == "securepassword"
    assert bcrypt.checkpw(b"securepassword", made["password"].outputs["bcryptHash"].encode())
    assert made["string"].outputs["result"] == made["string"].id == "test"
    assert made["bytes"].outputs["hex"] == "f3f7eedeafb60dc812275f62d236790b"
    assert (made["id"].id, made["id"].outputs["b64Url"]) == ("p-9hUg8rJZ0", "pre-p-9hUg8rJZ0")
    assert made["uuid"].outputs["result"] == "aabbccdd-eeff-0011-2233-445566778899"
    assert project.secret_outputs("password") == {"result", "bcryptHash"}
    assert project.up(IMPORT + IMPORTS).ops() == {}


def test_an_import_of_something_else_is_refused(project: Project) -> None:
    for resource in ('RandomBytes("p", length=4, ', 'RandomId("p", byte_length=4, ', 'RandomUuid("p", '):
        run = project.up(f'{IMPORT}random.{resource}opts=pulumi.ResourceOptions(import_="no base64!"))', fails=True)
        assert run.errors
        assert "Traceback" not in run.text
    assert project.state() == {}
