"""What the random plugin draws."""

import random
import re
import string
from pathlib import Path

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolchain.plugins.random as plugin
from toolchain.plugins.random import generate

ALPHABETS = (string.ascii_lowercase, string.ascii_uppercase, string.digits, generate.SPECIAL)
MINIMUMS = st.tuples(*[st.integers(0, 6)] * 4)


def draw(length: int, used: tuple[bool, bool, bool, bool], minimums: tuple[int, int, int, int], special: str = "") -> str:
    lower, upper, numeric, special_used = used
    classes = generate.classes(
        lower=lower, upper=upper, numeric=numeric, special=special_used, special_characters=special, minimums=minimums
    )
    return generate.text(length, classes)


@given(st.tuples(*[st.booleans()] * 4).filter(any), MINIMUMS, st.integers(0, 40))
def test_length_classes_and_minimums_hold(
    used: tuple[bool, bool, bool, bool], minimums: tuple[int, int, int, int], more: int
) -> None:
    drawn = draw(sum(minimums) + more, used, minimums)
    assert len(drawn) == sum(minimums) + more
    for alphabet, is_used, minimum in zip(ALPHABETS, used, minimums, strict=True):
        count = sum(c in alphabet for c in drawn)
        assert count >= minimum if is_used else count == minimum


def test_every_character_of_every_class_comes_up() -> None:
    drawn = draw(20_000, (True, True, True, True), (0, 0, 0, 0))
    assert set(drawn) == set("".join(ALPHABETS))
    assert set(draw(500, (False, False, False, True), (0, 0, 0, 0), "_-")) == {"_", "-"}


def test_the_minimums_do_not_stand_at_fixed_places() -> None:
    # One digit among letters: over many draws it is seen at every place.
    places = {
        next(i for i, c in enumerate(draw(8, (True, False, False, False), (0, 0, 1, 0))) if c.isdigit()) for _ in range(500)
    }
    assert places == set(range(8))


def test_the_source_is_cryptographic_and_can_not_be_seeded() -> None:
    random.seed(1)
    first = draw(30, (True, True, True, True), (1, 1, 1, 1))
    random.seed(1)
    assert draw(30, (True, True, True, True), (1, 1, 1, 1)) != first
    sources = "\n".join(path.read_text() for path in Path(plugin.__path__[0]).glob("*.py"))
    assert not re.search(
        r"^\s*(import random\b|from random import)|\brandom\.(choice|random|randint|shuffle)\(", sources, re.MULTILINE
    )


@pytest.mark.parametrize("password", ["a", "x" * 72, "x" * 100, "ünï" * 40])
def test_the_hash_is_gos_and_of_the_first_72_bytes(password: str) -> None:
    hashed = generate.bcrypt_hash(password)
    assert re.fullmatch(r"\$2a\$10\$[./A-Za-z0-9]{53}", hashed)
    assert bcrypt.checkpw(password.encode()[:72], hashed.encode())
    assert generate.bcrypt_hash(password) != hashed


def test_uuid_and_base64_forms() -> None:
    assert generate.uuid_text(bytes(range(16))) == "00010203-0405-0607-0809-0a0b0c0d0e0f"
    assert generate.unpadded_base64(b"\xff\xfe\xfd\xfc") == "__79_A"
