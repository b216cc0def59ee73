"""One password, many endpoints: how many of them are given it."""

import pytest

from components.verification.together import at_once, one_first


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        (["yes", "no", "no"], [0, 1, 2]),
        (["no", "yes", "yes"], [0]),
        (["?", "no", "yes"], [0, 1]),
        (["?", "yes", "no"], [0, 1, 2]),
        (["?", "?", "?"], [0, 1, 2]),
        ([], []),
    ],
    ids=["taken", "refused", "refused by the second", "taken by the second", "none says either", "none"],
)
def test_a_password_that_one_has_refused_is_given_to_no_other(answers, asked):
    seen = []

    def ask(place):
        seen.append(place)
        return answers[place]

    found = one_first(ask, range(len(answers)), taken="yes".__eq__, refused="no".__eq__)
    assert found == {place: answers[place] for place in asked}
    assert sorted(seen) == asked


def test_answers_of_all_at_once_are_in_order_and_what_is_raised_is_raised():
    assert at_once(str, [3, 1, 2]) == ["3", "1", "2"]
    assert at_once(str, []) == []
    with pytest.raises(ValueError, match="invalid literal"):
        at_once(int, ["1", "x"])
