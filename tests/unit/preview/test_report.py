"""The comment on a pull request, and the report of drift."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.preview.test_changes import recorded
from toolchain.preview import drift, masking, report
from toolchain.preview.changes import Change, Diagnostic, Op, Preview, Property
from toolchain.preview.differences import around, leaves
from toolchain.preview.findings import Finding
from toolchain.preview.markdown import LIMIT, Section, block, code, comment, prose
from toolchain.preview.report import Subject

SUBJECT = Subject(stack="dev", commit="abc1234")


def change(name="it", op=Op.CREATE, **more):
    return Change(urn=f"urn:pulumi:dev::p::docker:index/container:Container::{name}", type="docker:index/container:Container",
                  name=name, op=op, **more)  # fmt: skip


def test_the_comment_begins_with_its_marker_and_says_stack_commit_and_counts():
    text = report.render(recorded("changed"), SUBJECT)
    assert text.startswith("<!-- supastack preview: dev -->\n## Preview of stack `dev` at `abc1234`\n")
    assert "**4 to delete**, **1 to replace**, **2 to create**; 44 stay as they are." in text


def test_worst_comes_first_and_what_is_created_is_folded_up():
    text = report.render(recorded("changed"), SUBJECT)
    places = [text.index(part) for part in ("### :x: Deleted: 4", "### :warning: Replaced: 1", "### Created: 2", "### Outputs")]
    assert places == sorted(places)
    assert "<details>\n<summary>supabase: 2 created</summary>\n\n- `supabase-meta`" in text


def test_a_replacement_names_what_forces_it_and_shows_what_differs_alone():
    text = report.render(recorded("changed"), SUBJECT)
    assert "- `supabase-postgres` (`docker:Container`), forced by `command`\n" in text
    assert "  - `command`: `shared_buffers=131072kB` → `shared_buffers=98304kB` (replaces)\n" in text


def test_data_at_risk_stands_before_what_is_replaced():
    text = report.render(recorded("precious"), SUBJECT)
    assert text.index("### Errors") < text.index("Data at risk") < text.index("Replaced: 1")
    assert "**replaced** `app-setup-password`" in text
    assert "protected: Pulumi refuses" in text


def test_a_preview_that_failed_says_so_with_the_reason_and_not_with_the_engines_last_word():
    text = report.render(recorded("failed"), SUBJECT)
    assert "**The preview failed:**" in text
    assert "holds data of minio" in text
    assert "stay as they are" not in text
    assert "```text\npreview failed" not in text


def test_settings_that_are_wrong_make_a_comment_too():
    text = report.failed(SUBJECT, "supastack:target: `dockr`")
    assert text.startswith("<!-- supastack preview: dev -->")
    assert "supastack:target: `dockr`" in text


def test_nothing_to_do_is_said():
    assert "**Nothing would change**; 1 stays as it is." in report.render(Preview(changes=(change(op=Op.SAME),)), SUBJECT)


def test_secrets_are_not_told_apart_and_unknown_values_are_no_change_of_an_output():
    hidden = change(op=Op.UPDATE, properties=(Property(path="envs", old="[secret]", new="[secret]"),))
    preview = Preview(changes=(hidden,), outputs={"A": "[known after the deployment]"}, old_outputs={"A": "1"})
    text = report.render(preview, SUBJECT)
    assert "`envs`: `[secret]` → `[secret]`" in text
    assert "Outputs" not in text


def test_findings_stand_by_rule_and_a_waived_one_forbids_nothing():
    held = Finding(rule="no-latest", resource="db", message="uses `latest`", fix="run `make pin`", mandatory=True)
    text = report.render(Preview(changes=()), replace(SUBJECT, findings=[held, replace(held, waived="until May")]))
    assert "**Policies forbid this deployment.**" in text
    assert (
        "### :no_entry: Policies that must hold: 1\n\n- `no-latest`: 1 violation\n  - Fix: run `make pin`\n  - `db`: uses `latest`"
        in text
    )
    assert "Waived: until May" in text
    alone = report.render(Preview(changes=()), replace(SUBJECT, findings=[replace(held, waived="until May")]))
    assert "forbid" not in alone


def test_the_comment_is_the_same_whatever_the_order():
    preview = recorded("changed")
    assert report.render(replace(preview, changes=preview.changes[::-1]), SUBJECT) == report.render(preview, SUBJECT)


def test_what_does_not_fit_is_cut_from_the_least_important_and_said():
    made = tuple(change(f"made-{n}") for n in range(3000))
    gone = tuple(change(f"gone-{n}", Op.DELETE) for n in range(100))
    text = report.render(Preview(changes=made + gone), SUBJECT)
    assert len(text) <= LIMIT
    assert all(f"`gone-{n}`" in text for n in range(100))
    shown = len(re.findall(r"^- `made-", text, re.MULTILINE))
    (cut,) = re.findall(r"\*(\d+) more resources: cut, since a comment holds 65,536 characters", text)
    assert shown + int(cut) == 3000
    assert text.rstrip().endswith("</details>")


def test_masking_takes_out_what_the_engine_did_not_know_to_be_secret():
    hide = lambda text: text.replace("hush", "******")  # noqa: E731 - a stand-in for the redactor
    shown = change(op=Op.UPDATE, old={"a": ["hush"]}, properties=(Property(path="a", old=["hush"], new={"b": "hush"}),))
    preview = Preview(changes=(shown,), diagnostics=(Diagnostic(severity="error", message="hush!"),), outputs={"X": "hush"})
    masked = masking.masked(preview, hide)
    assert "hush" not in report.render(masked, SUBJECT) + str(report.data(masked, SUBJECT))


def test_long_and_many_lined_values_are_cut_to_what_differs():
    old = "\n".join(f"line {n}" for n in range(50))
    new = old.replace("line 30", "another")
    text = report.render(
        Preview(changes=(change(op=Op.UPDATE, properties=(Property(path="content", old=old, new=new),)),)), SUBJECT
    )
    assert "`content`: `line 30` → `another` from line 31 of 50" in text
    assert "… (840 more)" in code("x" * 1000)


def test_members_of_lists_are_told_apart_by_their_names():
    old = [{"name": "a", "v": 1}, {"name": "b", "v": 2}]
    new = [{"name": "b", "v": 3}, {"name": "a", "v": 1}]
    assert list(leaves("env", old, new)) == [("env[b].v", 2, 3)]
    assert list(leaves("x", ["a", "b", "c"], ["a", "c", "d"])) == [("x", "b", None), ("x", None, "d")]
    assert around("a\nb", "a\nb\nc") == ("", "c", "from line 3 of 3")


# ---- drift -----------------------------------------------------------------------------------------------------------


def test_drift_tells_what_was_found_and_what_sets_it_back():
    seen = recorded("drift", refresh=True)
    text = drift.markdown(seen, SUBJECT)
    assert text.startswith("<!-- supastack drift: dev -->")
    assert "**2 resources are not as deployed.**" in text
    assert "- `cache-valkey` (`docker:Container`): gone" in text
    assert "`memory`: `1024` → `300`" in text
    plain = drift.text(seen, SUBJECT)
    assert "cache-valkey (docker:index/container:Container): gone" in plain
    assert "memory: 1024 -> 300" in plain


def test_no_drift_is_said_and_one_that_could_not_be_told_is_not_none():
    assert "Nothing was changed" in drift.markdown(Preview(changes=()), SUBJECT)
    failed = Preview(changes=(), complete=False, diagnostics=(Diagnostic(severity="error", message="no daemon"),))
    assert "could not be told" in drift.markdown(failed, SUBJECT)
    assert "no daemon" in drift.text(failed, SUBJECT)


# ---- text of others --------------------------------------------------------------------------------------------------

NASTY = "`*_<>&|@#[]()!~\\$:/.-+= \n\r\tabz019\u202e\u0000é漢"
nasty = st.text(st.sampled_from(NASTY) | st.characters(codec="utf-8"), max_size=60)
fast = settings(max_examples=60)


@fast
@given(nasty)
def test_code_is_one_span_that_nothing_in_it_ends(text):
    written = code(text)
    assert "\n" not in written
    if written not in ("(empty)", "(blank)"):
        fence = re.match(r"`+", written)[0]
        inner = written[len(fence) : -len(fence)]
        assert written.endswith(fence)
        assert fence not in re.findall(r"`+", inner)


@fast
@given(nasty)
def test_a_block_ends_where_we_end_it(text):
    first, *lines, last = block(text).split("\n")
    assert first == f"{last}text"
    assert not any(re.fullmatch(rf"\s*`{{{len(last)},}}\s*", line) for line in lines)


@pytest.mark.parametrize("text", ["@bob", "of #12", "see https://x.y", "GH-3", ":tada:", "www.x.y", "a@b.c"])
def test_prose_names_nobody_and_leads_nowhere(text):
    assert "\u200b" in prose(text)
    assert prose(text).replace("\u200b", "") == text


@pytest.mark.parametrize(
    ("text", "written"), [("# a", "\\# a"), ("1. a", "1\\. a"), ("<b>|*", "\\<b\\>\\|\\*"), ("run `a|b`", "run `a|b`")]
)
def test_prose_is_no_markup(text, written):
    assert prose(text) == written


@fast
@given(nasty)
def test_prose_has_no_markup_mention_or_reference(text):
    outside = re.sub(r"(`+).*?\1", "", prose(text))
    assert "\n" not in outside
    assert not re.search(r"(?<!\\)[*_<>\[\]|]", outside.replace("\\\\", ""))
    assert not re.search(r"@\w|#\w|://|\bGH-", outside)


@fast
@given(
    st.lists(st.tuples(nasty, st.sampled_from([Op.CREATE, Op.UPDATE, Op.DELETE, Op.REPLACE]), nasty, nasty), max_size=12), nasty
)
@pytest.mark.parametrize("limit", [LIMIT, 3000])
def test_a_comment_keeps_to_its_limit_and_its_shape(limit, given_, said):
    changes_ = tuple(
        change(f"{n}{name}", op, properties=(Property(path=old[:8] or "p", old=old, new=new),), risk=new or None)
        for n, (name, op, old, new) in enumerate(given_)
    )
    finding = Finding(rule="r", resource=said, message=said, fix=said, mandatory=True)
    preview = Preview(changes=changes_, diagnostics=(Diagnostic(severity="warning", message=said or "w"),))
    text = report.render(preview, replace(SUBJECT, findings=[finding]), limit)
    assert len(text) <= limit
    assert text.count("<details>") == text.count("</details>")
    assert "\r" not in text
    assert "\u202e" not in text


def test_the_lightest_section_loses_its_last_items_first():
    heavy, light = Section("H", ["- h"] * 10, 9, what="hs"), Section("L", [f"- {n:050}" for n in range(100)], 1, what="ls")
    text = comment([light, heavy], 1000)
    assert len(text) <= 1000
    assert text.count("- h") == 10
    assert "more ls: cut" in text
