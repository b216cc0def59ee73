"""What the real servers of the whole stack do for the stubs that would use them: images, mail, and rows by a token's claims."""

import email.message
import json
import smtplib
import struct
import tarfile
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from urllib.parse import quote, urlsplit

import boto3
import jwt
import psycopg
import pytest
from botocore.config import Config

from tests.integration.stack.clients import Clients
from tests.integration.stack.whole import Answer, Whole

pytestmark = [pytest.mark.docker, pytest.mark.engine]


# -- images --------------------------------------------------------------------------------------------------------------


def png(width: int, height: int) -> bytes:
    """A picture of one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\x20\x80\xe0" * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def size(picture: bytes) -> tuple[int, int]:
    """Width and height of a PNG."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def resized(whole_up: Whole, source: str, to: str = "rs:fit:40:40", ending: str = "@png", **headers: str) -> Answer:
    """What imgproxy makes of a source, asked at the address that Storage was given, as Storage asks."""
    at = urlsplit(whole_up.env("supabase-storage")["IMGPROXY_URL"])
    assert at.hostname is not None
    address = whole_up.address(at.hostname, seen_from="supabase-storage")
    return whole_up.call(f"http://{address}:{at.port}/public/{to}/plain/{quote(source, safe='')}{ending}", headers)


@pytest.fixture(scope="module")
def signed(whole_up: Whole) -> Iterator[str]:
    """A signed address of a picture in the object store, as it is reached from inside the stack."""
    out = whole_up.outputs
    key = {"Bucket": out["S3_BUCKET"], "Key": "pictures/one of mine.png"}
    store = Clients(out).store
    with whole_up.clone.daemon.network():
        store.put_object(**key, Body=png(400, 200), ContentType="image/png")
    inside = boto3.client(
        "s3",
        endpoint_url="http://minio:9000",
        aws_access_key_id=out["S3_ACCESS_KEY"],
        aws_secret_access_key=out["S3_SECRET_KEY"],
        region_name=out["S3_REGION"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    yield inside.generate_presigned_url("get_object", Params=key, ExpiresIn=600)
    with whole_up.clone.daemon.network():
        store.delete_object(**key)


def test_a_picture_of_the_object_store_is_resized(whole_up: Whole, signed: str):
    answer = resized(whole_up, signed)
    assert (answer.status, answer.headers["content-type"]) == (200, "image/png")
    assert size(answer.body) == (40, 20)


def test_a_browser_that_takes_webp_gets_webp(whole_up: Whole, signed: str):
    assert resized(whole_up, signed, ending="", Accept="image/webp").headers["content-type"] == "image/webp"


def test_a_picture_whose_signature_is_wrong_is_not_given(whole_up: Whole, signed: str):
    assert resized(whole_up, signed[:-4] + "0000").status in {403, 404, 422, 500}
    assert resized(whole_up, signed.partition("?")[0]).status in {403, 404, 422, 500}


def test_a_signed_address_is_not_in_the_log_of_imgproxy(whole_up: Whole, signed: str):
    before = len(whole_up.container("supabase-imgproxy").logs())
    assert resized(whole_up, signed).status == 200
    assert resized(whole_up, signed[:-4] + "0000").status != 200
    seen = whole_up.container("supabase-imgproxy").logs()[before:]
    for word in ("X-Amz", "pictures", whole_up.outputs["S3_ACCESS_KEY"]):
        assert word.encode() not in seen


def test_a_picture_on_storages_volume_is_resized_and_imgproxy_can_not_write_there(whole_up: Whole):
    """Storage is a stub: the file is put where it would put it."""
    storage = whole_up.env("supabase-storage")
    folder = storage["FILE_STORAGE_BACKEND_PATH"]
    data = png(90, 60)
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        entry = tarfile.TarInfo("a picture.png")
        entry.size, entry.mode = len(data), 0o644
        archive.addfile(entry, BytesIO(data))
    assert whole_up.container("supabase-storage").put_archive(folder, packed.getvalue())
    answer = resized(whole_up, f"local://{folder}/a picture.png", "rs:fit:30:30")
    assert (answer.status, size(answer.body)) == (200, (30, 20))
    (mount,) = whole_up.container("supabase-imgproxy").attrs["Mounts"]
    assert (mount["Destination"], mount["RW"]) == (folder, False)
    assert whole_up.container("supabase-storage").exec_run(["rm", f"{folder}/a picture.png"], user="root").exit_code == 0


def test_a_source_that_is_not_there_is_an_error_of_its_own_and_not_of_the_server(whole_up: Whole):
    assert resized(whole_up, "local:///var/lib/storage/none.png").status == 404
    assert whole_up.until_states({"supabase-imgproxy": "healthy"})["supabase-imgproxy"] == "healthy"


# -- mail ----------------------------------------------------------------------------------------------------------------


def test_a_mail_that_is_sent_with_auths_own_settings_is_in_the_catcher(whole_up: Whole):
    """Auth is a stub: the mail is sent by what it was given, and nothing else."""
    env = {name.removeprefix("GOTRUE_SMTP_"): value for name, value in whole_up.env("supabase-auth").items() if "_SMTP_" in name}
    mail = email.message.EmailMessage()
    mail["From"] = f"{env['SENDER_NAME']} <{env['ADMIN_EMAIL']}>"
    mail["To"] = "somebody@example.com"
    mail["Subject"] = subject = f"Confirm your signup {time.monotonic_ns()}"
    link = f"{whole_up.env('supabase-auth')['API_EXTERNAL_URL'].removesuffix('/auth/v1')}/auth/v1/verify?token=abc&type=signup"
    mail.set_content(f"Follow this link: {link}\n")
    address = whole_up.address(env["HOST"], seen_from="supabase-auth")
    with whole_up.clone.daemon.network(), smtplib.SMTP(address, int(env["PORT"]), timeout=20) as server:
        if env["USER"]:
            server.login(env["USER"], env["PASS"])
        server.send_message(mail)
    listed = whole_up.call(f"{whole_up.outputs['MAILPIT_URL']}/api/v1/search", params={"query": f'subject:"{subject}"'}).json
    (caught,) = listed["messages"]
    assert caught["From"] == {"Name": "Supabase", "Address": "admin@example.com"}
    assert [to["Address"] for to in caught["To"]] == ["somebody@example.com"]
    text = whole_up.call(f"{whole_up.outputs['MAILPIT_URL']}/api/v1/message/{caught['ID']}").json["Text"]
    # The link in it leads through the real gateway to Auth, without a key.
    assert whole_up.call(text.split("link: ", 1)[1].strip()).stub == "auth"


# -- rows ----------------------------------------------------------------------------------------------------------------

ALICE = "00000000-0000-4000-8000-00000000000a"
BOB = "00000000-0000-4000-8000-00000000000b"


@pytest.fixture(scope="module")
def tickets(whole_up: Whole) -> Iterator[Whole]:
    """A table with rows of two people, one of them open to all."""
    with whole_up.clone.daemon.network(), whole_up.sql() as connection:
        connection.execute("create table public.tickets (owner uuid, title text, open boolean)")
        connection.execute("alter table public.tickets enable row level security")
        connection.execute("create policy shown on public.tickets for select to anon using (open)")
        connection.execute(
            "create policy own on public.tickets for all to authenticated using (owner = auth.uid()) with check (owner = auth.uid())"
        )
        connection.execute(f"insert into public.tickets values ('{ALICE}', 'a', false), ('{BOB}', 'b', true)")
    yield whole_up
    with whole_up.clone.daemon.network(), whole_up.sql() as connection:
        connection.execute("drop table public.tickets")


def token_of(whole_up: Whole, sub: str) -> str:
    """A token as Auth would sign it: ES256, with the key that it was given."""
    (own,) = (key for key in json.loads(whole_up.env("supabase-auth")["GOTRUE_JWT_KEYS"]) if key["kty"] == "EC")
    claims = {"role": "authenticated", "sub": sub, "aud": "authenticated", "exp": datetime.now(UTC) + timedelta(minutes=5)}
    return jwt.encode(claims, jwt.PyJWK(own).key, algorithm="ES256", headers={"kid": own["kid"]})


def asked(whole_up: Whole, token: str, query: str) -> list[tuple[Any, ...]]:
    """Rows of a query with a token, as PostgREST asks: verified by the key set it was given, then in the role and with the claims."""
    held = jwt.PyJWKSet.from_json(whole_up.env("supabase-rest")["PGRST_JWT_SECRET"]).keys
    header = jwt.get_unverified_header(token)
    key = next(k for k in held if (k.key_type == "oct") == (header["alg"] == "HS256"))
    claims = jwt.decode(token, key.key, algorithms=[header["alg"]], options={"verify_aud": False})
    with whole_up.clone.daemon.network(), whole_up.sql("authenticator") as connection, connection.transaction():
        connection.execute(psycopg.sql.SQL("set local role {}").format(psycopg.sql.Identifier(claims["role"])))
        connection.execute("select set_config('request.jwt.claims', %s, true)", [json.dumps(claims)])
        return connection.execute(query).fetchall()


def test_a_token_of_the_stack_shows_the_rows_of_its_role(tickets: Whole):
    query = "select title from public.tickets order by title"
    assert asked(tickets, tickets.outputs["ANON_KEY"], query) == [("b",)]
    assert asked(tickets, tickets.outputs["SERVICE_ROLE_KEY"], query) == [("a",), ("b",)]


def test_a_users_token_shows_and_changes_their_own_rows_alone(tickets: Whole):
    alice = token_of(tickets, ALICE)
    assert asked(tickets, alice, "select title, auth.uid()::text from public.tickets") == [("a", ALICE)]
    assert asked(tickets, alice, "update public.tickets set title = title returning title") == [("a",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        asked(tickets, alice, f"insert into public.tickets values ('{BOB}', 'c', true) returning title")


def test_no_role_of_a_token_reads_the_users_table(tickets: Whole):
    for token in (tickets.outputs["ANON_KEY"], token_of(tickets, ALICE)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            asked(tickets, token, "select id from auth.users")
