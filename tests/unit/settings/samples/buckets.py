"""Samples for Storage's buckets and policies."""

from components.supabase_settings import buckets
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

TEXTS: Samples = {
    buckets.storage_bucket_name: Texts(
        right=("service-ticket-attachments", "Avatars_2.small", "a", "a" * 63), wrong=("a/b", "a b", ".a", "-a", "a" * 64, "ä")
    ),
    buckets.policy_name: Texts(
        right=("Authenticated users can upload", 'it\'s "so" ü', "a" * 63),
        wrong=(" a", "a ", "a\nb", "ü" * 32, "a\0"),
    ),
    buckets.role_name: Texts(
        right=("authenticated", "public", "_a1"), wrong=("Authenticated", "a b", "a;b", "1a", '"a"', "a" * 64)
    ),
    buckets.mime_type: Texts(
        right=("image/png", "image/*", "application/vnd.ms-excel", "image/svg+xml"),
        wrong=("png", "*/*", "image/", "/png", "image/p*", "image/png; charset=x", "IMAGE/png", "a/" + "b" * 126),
    ),
    buckets.condition: Texts(
        right=(
            "true",
            "(storage.foldername(name))[1] = auth.uid()::text",
            "name ~ '\\.pdf$' and note <> ');-- it''s \"' and \"owner\" = 'x'",
            "a\n  and (b or c)",
        ),
        wrong=(
            *(f"{HIDDEN} = 'open", f'"{HIDDEN}', f"{HIDDEN}); drop table x; --", f"{HIDDEN} -- comment", f"{HIDDEN} /* c */"),
            *(f"({HIDDEN}", f"{HIDDEN})", f"{HIDDEN}) or (true", f"E'{HIDDEN}\\' or true --'", f"$${HIDDEN}$$", f"a; {HIDDEN}"),
            f"{HIDDEN} \\ b",
        ),
        free=True,
    ),
}
