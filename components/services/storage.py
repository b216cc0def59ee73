"""Storage (storage-api): files and their rights.

Environment, port and health check are those of upstream's compose files; the further variables stand in supabase/storage
src/config.ts (the fields of getConfig; read at 53cd5d6 and in a version of 2026). Resumable uploads and the S3 endpoint build their
addresses from STORAGE_PUBLIC_URL and, with REQUEST_ALLOW_X_FORWARDED_PATH, the gateway's X-Forwarded-Prefix (src/http/routes/tus/
lifecycle.ts, src/http/plugins/signature-v4.ts): so neither TUS_URL_PATH nor S3_PROTOCOL_PREFIX is needed, on either backend.
"""

from collections.abc import Mapping
from typing import Any, Final

from components.service import Address, Edge, Encoding, Gate, Health, Port, Secret, Service, Text, Volume, text
from components.services import postgres, secret_names
from components.services.context import Context
from components.setting_schema import default_of
from components.setting_types import SupabaseSettings

PORT: Final = 5000
VOLUME: Final = "storage-data"
FOLDER: Final = "/var/lib/storage"


def region(c: Context) -> str:
    """REGION: that of Storage's own S3 endpoint and, with files in a store, the one that it signs its requests to the store with."""
    own: str = c.settings["storage"]["region"]
    return own if c.s3 is None else c.s3.region


def transforms_images(c: Context) -> bool:
    """Whether it can give images in other sizes."""
    return c.runs("imgproxy") and bool(c.settings["storage"]["imageTransformation"]["enabled"])


def _s3(c: Context) -> dict[str, Text]:
    """Where the files are."""
    if c.s3 is None:
        return {"STORAGE_BACKEND": text("file"), "GLOBAL_S3_BUCKET": text(c.settings["storage"]["bucket"])}
    scheme, _, _ = c.s3.endpoint.partition("://")
    return {
        "AWS_ACCESS_KEY_ID": text(Secret(secret_names.S3_ACCESS_KEY)),
        "AWS_SECRET_ACCESS_KEY": text(Secret(secret_names.S3_SECRET_KEY)),
        "GLOBAL_S3_BUCKET": text(c.s3.bucket),
        "GLOBAL_S3_ENDPOINT": text(c.s3.endpoint),
        # A bucket's name in front of the host would need a name of its own in DNS.
        "GLOBAL_S3_FORCE_PATH_STYLE": text("true"),
        "GLOBAL_S3_PROTOCOL": text(scheme),
        "STORAGE_BACKEND": text("s3"),
    }


def _given(c: Context) -> dict[str, Text]:
    """What the settings say beside upstream's compose file."""
    settings = c.settings["storage"]
    env = {}
    tus = settings["tus"]
    if "urlPath" in tus:
        env["TUS_URL_PATH"] = text(tus["urlPath"])
    if "urlExpiry" in tus:
        env["TUS_URL_EXPIRY_MS"] = text(str(tus["urlExpiry"] * 1000))
    if "partSize" in tus:
        env["TUS_PART_SIZE"] = text(str(tus["partSize"]))
    if "allowS3Tags" in tus:
        env["TUS_ALLOW_S3_TAGS"] = text(str(tus["allowS3Tags"]).lower())
    if "maxConnections" in settings:
        env["DATABASE_MAX_CONNECTIONS"] = text(str(settings["maxConnections"]))
    if "maxSize" in settings["imageTransformation"]:
        # The older of two names, which both versions read.
        env["IMG_LIMITS_MAX_SIZE"] = text(str(settings["imageTransformation"]["maxSize"]))
    return env


def notes(settings: Mapping[str, Any]) -> list[str]:
    """What is said where the files are not in the usual place, of a completed `supabase` group.

    A note and no refusal: the volume's labels tell neither what lies on it nor whether it was taken along to the store.
    """
    usual = default_of(SupabaseSettings)["storage"]
    moved = [name for name in ("backend", "bucket", "tenantId") if settings["storage"].get(name) != usual.get(name)]
    if not moved:
        return []
    named = ", ".join(f"supastack:supabase.storage.{name}" for name in moved)
    return [f"storage looks for files only where {named} says: files that were kept elsewhere before are not moved and not found"]


def storage(c: Context) -> Service:
    """Storage (storage-api)."""
    settings = c.settings["storage"]
    legacy = c.release.features.legacy_names
    env = {
        "ANON_KEY": text(Secret(secret_names.ANON_KEY)),
        "DATABASE_URL": text(
            "postgres://supabase_storage_admin:",
            Secret(secret_names.DATABASE_PASSWORD, Encoding.URL),
            "@",
            Address("postgres"),
            f"/{postgres.database(c)}",
        ),
        "ENABLE_IMAGE_TRANSFORMATION": text("true" if transforms_images(c) else "false"),
        "FILE_SIZE_LIMIT": text(str(settings["fileSizeLimit"])),
        "FILE_STORAGE_BACKEND_PATH": text(FOLDER),
        "REGION": text(region(c)),
        "SERVICE_KEY": text(Secret(secret_names.SERVICE_ROLE_KEY)),
        "TENANT_ID": text(settings.get("tenantId", c.project_ref)),
        "PGRST_JWT_SECRET" if legacy else "AUTH_JWT_SECRET": text(Secret(secret_names.JWT_SECRET)),
        **_s3(c),
        **_given(c),
    }
    if c.runs("rest"):
        env["POSTGREST_URL"] = text("http://", Address("rest"))
    if transforms_images(c):
        env["IMGPROXY_URL"] = text("http://", Address("imgproxy"))
    if c.asymmetric:
        env["JWT_JWKS"] = text(Secret(secret_names.JWT_JWKS))
    if not legacy:
        env |= {"REQUEST_ALLOW_X_FORWARDED_PATH": text("true"), "STORAGE_PUBLIC_URL": text(c.urls.api), **_s3_protocol(c)}
    # Node's own word: beside the authorities that it knows.
    trust, authority = ({}, ()) if c.s3 is None else c.s3.trusted("NODE_EXTRA_CA_CERTS")
    return Service(
        name="storage",
        image=c.release.image_if_any("storage"),
        # At rest it has 99 to 113 MB (KahitSan/supabase-air, DIGITALOCEAN-BENCHMARKS.md).
        resources=c.memory("storage", 160),
        env=env | trust,
        files=authority,
        ports=(Port("http", PORT),),
        # The volume is there with files in a store, too: what was kept on it before stays.
        volumes=(Volume(VOLUME, FOLDER, precious=True, idle=c.s3 is not None),),
        health=Health(
            ("wget", "--no-verbose", "--tries=1", "--spider", f"http://{'localhost' if legacy else 'storage'}:{PORT}/status"),
            # It migrates its schema before it listens.
            interval=2,
            retries=15,
            start_period=10,
        ),
        connects=(
            Edge("postgres", Gate.HEALTHY),
            *((Edge("rest"),) if c.runs("rest") else ()),
            *((Edge("imgproxy"),) if transforms_images(c) else ()),
            *((Edge("s3"),) if c.s3 is not None and not c.s3.external else ()),
        ),
        outside=("s3",) if c.s3 is not None and c.s3.external else (),
        provides={"storage": "http"},
        identity="storage",
        # Files of its own folder are one's alone; its migrations take a lock in the database.
        replicable=c.s3 is not None,
        # An upload that is under way is worth a while.
        stop_grace=30,
    )


def _s3_protocol(c: Context) -> dict[str, Text]:
    if not c.settings["storage"]["s3Protocol"]["enabled"]:
        return {"S3_PROTOCOL_ENABLED": text("false")}
    return {
        "S3_PROTOCOL_ACCESS_KEY_ID": text(Secret(secret_names.S3_PROTOCOL_ACCESS_KEY_ID)),
        "S3_PROTOCOL_ACCESS_KEY_SECRET": text(Secret(secret_names.S3_PROTOCOL_ACCESS_KEY_SECRET)),
    }
