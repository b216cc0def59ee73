"""`make pin`: asked of a stand-in for a registry, an HTTP server on this machine that wants a token as Docker Hub does."""

import hashlib
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml

from components.describe import describe
from components.settings import load_file
from toolchain.announce import ToolchainError
from toolchain.pin import command, manifests, stack_file
from toolchain.stack.describe import Image

MANIFEST = b'{"schemaVersion": 2, "manifests": []}'
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
OTHER = "sha256:" + "0" * 64


@contextmanager
def registry(*, token=True, tells=True, knows=("hub/supabase/gotrue:v2",)):
    """A registry; yields its address and what it was asked. `tells`: the digest is in the head too."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.answer(body=True)

        def do_HEAD(self):
            self.answer(body=False)

        def answer(self, body):
            asked.append((self.command, self.path, self.headers.get("Accept", "")))
            if self.path.startswith("/token"):
                return self.send(200, b'{"token": "good"}', {}, body=True)
            if token and self.headers.get("Authorization") != "Bearer good":
                realm = f'Bearer realm="http://127.0.0.1:{self.server.server_port}/token",service="stand-in",scope="x"'
                return self.send(401, b"", {"WWW-Authenticate": realm}, body)
            name, _, tag = self.path.removeprefix("/v2/").partition("/manifests/")
            if f"{name}:{tag}" not in knows:
                return self.send(404, b"", {}, body)
            return self.send(200, MANIFEST, {"Docker-Content-Digest": DIGEST} if tells else {}, body)

        def send(self, code, content, headers, body):
            self.send_response(code)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()


def test_the_digest_is_asked_with_a_token_that_anybody_gets():
    with registry() as (host, asked):
        assert manifests.digest(f"{host}/hub/supabase/gotrue:v2@{OTHER}") == DIGEST
    methods = [(method, path.partition("?")[0]) for method, path, _ in asked]
    manifest = "/v2/hub/supabase/gotrue/manifests/v2"
    assert methods == [("HEAD", manifest), ("GET", "/token"), ("HEAD", manifest)]
    assert "scope=repository%3Ahub%2Fsupabase%2Fgotrue%3Apull" in asked[1][1]
    assert asked[2][2].startswith("application/vnd.oci.image.index.v1+json, ")


def test_a_registry_that_tells_no_digest_in_its_head_is_asked_for_the_manifest():
    with registry(token=False, tells=False) as (host, asked):
        assert manifests.digest(f"{host}/hub/supabase/gotrue:v2") == DIGEST
    assert [method for method, *_ in asked] == ["HEAD", "GET"]


def test_what_a_registry_does_not_tell_is_said_with_its_reason():
    with registry() as (host, _), pytest.raises(manifests.Unanswered, match=r"answers 404 for /v2/hub/other/manifests/v2"):
        manifests.digest(f"{host}/hub/other:v2")
    with pytest.raises(manifests.Unanswered, match=r"127.0.0.1:9 can't be reached"):
        manifests.digest("127.0.0.1:9/hub/other:v2")
    with pytest.raises(manifests.Unanswered, match="has no tag"):
        manifests.digest(f"127.0.0.1:9/hub/other@{OTHER}")


def test_a_token_in_clear_is_asked_for_on_this_machine_only():
    name = manifests.Name.of("registry.example.com/a:1")
    with pytest.raises(manifests.Unanswered, match="wants a login"):
        manifests._token(name, 'Bearer realm="http://registry.example.com/token"')
    assert name.base == "https://registry.example.com/v2"
    assert manifests.Name.of("docker.io/a/b:1").base == "https://registry-1.docker.io/v2"


FILE = """\
# An example.
config:
  supastack:target: docker  # here
  supastack:supabase:
    # Kept.
    auth: {enabled: true}
encryptionsalt: v1:abc
"""


@pytest.mark.parametrize(
    ("text", "added"),
    [
        (FILE, 4),
        (
            FILE.replace(
                "  supastack:target", "  supastack:images:\n    # ours\n    mirror: m.example.com\n\n  supastack:target"
            ),
            3,
        ),
        (
            FILE.replace(
                "  supastack:target", "  supastack:images:\n    digests:\n      rest: " + OTHER + " # kept\n  supastack:target"
            ),
            2,
        ),
        ("config:\n    supastack:target: docker", 4),
        ("# nothing yet\n", 5),
    ],
)
def test_digests_are_added_by_lines_and_all_else_stays(text, added):
    found = stack_file.with_digests(text, {"auth": DIGEST, "storage": OTHER})
    old, new = text.splitlines(), found.splitlines()
    assert [line for line in new if line in old] == old
    assert len(new) == len(old) + added
    digests = yaml.safe_load(found)["config"]["supastack:images"]["digests"]
    assert digests["auth"] == DIGEST
    assert stack_file.with_digests(found, {"auth": DIGEST}) == found


def test_a_digest_that_is_there_is_replaced_and_its_comment_stays():
    text = f"config:\n  supastack:images:\n    digests:\n      auth: {OTHER} # since May\n"
    assert stack_file.with_digests(text, {"auth": DIGEST}) == text.replace(OTHER, DIGEST)


@pytest.mark.parametrize("line", ["supastack:images: {mirror: m.example.com}", "supastack:images:\n    digests: {}"])
def test_a_group_in_one_line_is_refused_with_what_to_do(line):
    with pytest.raises(ToolchainError, match="can't be edited in place"):
        stack_file.with_digests(f"config:\n  {line}\n", {"auth": DIGEST})


@pytest.mark.parametrize("key", ["images", "supastack:config:images"])
def test_a_group_under_another_of_its_names_is_left_alone(key):
    with pytest.raises(ToolchainError, match="Add the digests by hand"):
        stack_file.with_digests(f"config:\n  {key}:\n    mirror: m.example.com\n", {"auth": DIGEST})


def image(role, reference, kind="registry", setting="supastack:release"):
    return Image(role, reference, kind, setting=setting)


def test_the_file_gets_what_registries_tell_and_the_change_is_shown(tmp_path, capsys):
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(FILE)
    with registry() as (host, _):
        images = [image("auth", f"{host}/hub/supabase/gotrue:v2"), image("rest", f"{host}/hub/rest:v1")]
        assert command.pin(path, images) == 1
        assert command.pin(path, images[:1]) == 0
    out, err = capsys.readouterr()
    assert f"+      auth: {DIGEST}" in out
    assert out.count("+++") == 1, "the second time nothing changed"
    assert "rest: no digest of" in err
    assert "has them already: 1 digest" in err
    assert yaml.safe_load(path.read_text())["config"]["supastack:images"] == {"digests": {"auth": DIGEST}}
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_where_no_registry_answers_nothing_is_changed(tmp_path, capsys):
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(FILE)
    images = [image("auth", "127.0.0.1:9/a/b:1"), image("stub", "supastack.local/stub:1", "stub")]
    assert command.pin(path, images) == 1
    assert path.read_text() == FILE
    said = capsys.readouterr().err
    assert "auth: no digest of 127.0.0.1:9/a/b:1: 127.0.0.1:9 can't be reached" in said
    assert "stub: supastack.local/stub:1 was built on this machine" in said
    assert "Pulumi.prod.yaml stays as it is" in said


def test_an_apps_digest_goes_where_its_image_is_named_and_is_said_only(tmp_path, capsys):
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(FILE)
    with registry(knows=("hub/supabase/gotrue:v2", "shop/backend:1.4")) as (host, asked):
        backend, setting = f"{host}/shop/backend:1.4", "supastack:apps.backend.image"
        auth = image("auth", f"{host}/hub/supabase/gotrue:v2")
        assert command.pin(path, [auth, image("app-backend", backend, setting=setting)]) == 1
        assert yaml.safe_load(path.read_text())["config"]["supastack:images"] == {"digests": {"auth": DIGEST}}
        said = capsys.readouterr().err
        assert f"app-backend: write the digest where the image is named, {setting}: {backend}@{DIGEST}" in said
        asked.clear()
        assert command.pin(path, [image("app-backend", f"{backend}@{OTHER}", setting=setting)]) == 0
        assert f"app-backend: {setting} has a digest already" in capsys.readouterr().err
        assert asked == []


def images_of(path):
    found = describe(load_file(path, stack="it"))["images"]
    return [Image(i["role"], i["reference"], i["kind"], setting=i["setting"]) for i in found]


def test_what_a_stack_with_an_app_is_given_is_taken_by_it(tmp_path):
    """The settings' own word on the file that was written, and on the reference that was said."""
    text = "config:\n  supastack:apps: {backend: {image: registry.example.com/shop/backend:1.4, port: 8080}}\n"
    path = tmp_path / "Pulumi.it.yaml"
    path.write_text(text)
    images = [
        Image(i["role"], i["reference"], i["kind"], setting=i["setting"]) for i in describe(load_file(path, stack="it"))["images"]
    ]
    assert {i.role for i in images} > {"auth", "app-backend"}
    assert command.pin(path, images, lambda _: DIGEST) == 1
    path.write_text(path.read_text().replace("backend:1.4", f"backend:1.4@{DIGEST}"))
    images = [
        Image(i["role"], i["reference"], i["kind"], setting=i["setting"]) for i in describe(load_file(path, stack="it"))["images"]
    ]
    assert {i.role for i in images if not i.reference.endswith(f"@{DIGEST}")} == set()
    assert command.pin(path, images, lambda _: DIGEST) == 0
