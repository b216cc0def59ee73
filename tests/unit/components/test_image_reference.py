"""References of images: read as Docker reads them, moved behind a mirror, and given a digest."""

import pytest

from components import image_reference
from components.image_reference import mirrored, parse, with_digest

DIGEST = "sha256:" + "ab" * 32
OTHER = "sha256:" + "cd" * 32


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("redis:8", "docker.io/library/redis:8"),
        ("docker.io/kong:2.8.1", "docker.io/library/kong:2.8.1"),
        ("supabase/gotrue:v1", "docker.io/supabase/gotrue:v1"),
        ("quay.io/a/b/c:1", "quay.io/a/b/c:1"),
        ("localhost/a:1", "localhost/a:1"),
        ("localhost:5000/a", "localhost:5000/a"),
        ("registry.local/a__b/c--d.e:A_b.c-d", "registry.local/a__b/c--d.e:A_b.c-d"),
        (f"docker.io/supabase/gotrue:v1@{DIGEST}", f"docker.io/supabase/gotrue:v1@{DIGEST}"),
        (f"supabase/gotrue@{DIGEST}", f"docker.io/supabase/gotrue@{DIGEST}"),
    ],
)
def test_a_reference_is_written_out_in_full(written, full):
    assert str(parse(written)) == full
    assert str(parse(full)) == full


@pytest.mark.parametrize(
    "text",
    ["", ":1", "A/b:1", "a b:1", "https://docker.io/a:1", "a:", "a@sha256:ab", "a//b", "a/-b:1", "docker.io/", "a:1:2", "../a"],
)
def test_what_is_no_reference_is_refused(text):
    with pytest.raises(ValueError, match="not the reference of an image"):
        parse(text)


@pytest.mark.parametrize(
    ("image", "at", "there"),
    [
        ("docker.io/supabase/gotrue:v1", "mirror.example.com/hub", "mirror.example.com/hub/supabase/gotrue:v1"),
        ("docker.io/library/redis:8", "mirror.example.com", "mirror.example.com/library/redis:8"),
        ("redis:8", "mirror.example.com/hub/", "mirror.example.com/hub/library/redis:8"),
        ("quay.io/a/b:1", "mirror.example.com:5000/x", "mirror.example.com:5000/x/a/b:1"),
        (f"a/b:1@{DIGEST}", "localhost:5000", f"localhost:5000/a/b:1@{DIGEST}"),
    ],
)
def test_a_mirror_takes_the_place_of_the_host(image, at, there):
    assert mirrored(image, at) == there


@pytest.mark.parametrize(
    "at", ["", "https://mirror.example.com", "mirror", "mirror/hub", "mirror.example.com/Hub", "m.example/a//b"]
)
def test_what_can_be_no_mirror_is_refused(at):
    with pytest.raises(ValueError, match=r"mirror\.example\.com/hub"):
        image_reference.mirror(at)


def test_a_digest_stands_after_the_tag():
    assert with_digest("docker.io/a/b:1", DIGEST) == f"docker.io/a/b:1@{DIGEST}"
    assert with_digest(f"docker.io/a/b:1@{DIGEST}", DIGEST) == f"docker.io/a/b:1@{DIGEST}"


def test_two_digests_of_one_image_are_refused():
    with pytest.raises(ValueError, match="another digest"):
        with_digest(f"docker.io/a/b:1@{DIGEST}", OTHER)


@pytest.mark.parametrize("digest", ["", "ab" * 32, "sha256:AB" + "ab" * 31, "sha512:" + "ab" * 64])
def test_what_is_no_digest_is_refused(digest):
    with pytest.raises(ValueError, match="not a digest"):
        with_digest("docker.io/a/b:1", digest)
