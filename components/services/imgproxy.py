"""Images in other sizes and formats (imgproxy), for Storage.

Environment, port and health check are those of upstream's compose files. How many images are worked on at once is IMGPROXY_WORKERS,
until 3.19 IMGPROXY_CONCURRENCY (its changelog); its own default, two for each processor, would need memory for all of them.
Below the level `error` it logs each address that it is asked for, and Storage asks with signed ones: who reads those reads the file.
"""

from typing import Final

from components.service import Edge, Health, Mount, Port, Service, text
from components.services import storage
from components.services.context import Context

PORT: Final = 5001


def imgproxy(c: Context) -> Service:
    """Image transformation (imgproxy)."""
    settings = c.settings["imgproxy"]
    legacy = c.release.features.legacy_names
    on_volume = c.s3 is None
    env = {
        "IMGPROXY_BIND": text(f":{PORT}"),
        "IMGPROXY_ENABLE_WEBP_DETECTION" if legacy else "IMGPROXY_AUTO_WEBP": text(str(settings["autoWebp"]).lower()),
        "IMGPROXY_CONCURRENCY" if legacy else "IMGPROXY_WORKERS": text(str(settings["workers"])),
        "IMGPROXY_USE_ETAG": text("true"),
        "IMGPROXY_LOG_LEVEL": text("error"),
    }
    if on_volume:
        # Storage names files by their whole path.
        env["IMGPROXY_LOCAL_FILESYSTEM_ROOT"] = text("/")
    if not legacy or "maxSrcResolution" in settings:
        env["IMGPROXY_MAX_SRC_RESOLUTION"] = text(str(settings.get("maxSrcResolution", "16.8")))
    external = c.s3 is not None and c.s3.external
    # Go's own word; the folder of authorities that the image has is read beside.
    trust, authority = ({}, ()) if c.s3 is None else c.s3.trusted("SSL_CERT_FILE")
    return Service(
        name="imgproxy",
        image=c.release.image_if_any("imgproxy"),
        # At rest it has 10 to 23 MB (KahitSan/supabase-air, DIGITALOCEAN-BENCHMARKS.md). With 3.31.4 we saw 91 MiB with one image of 16
        # megapixels in work, 143 with two, 256 with four.
        resources=c.memory("imgproxy", 192),
        env=env | trust,
        files=authority,
        ports=(Port("http", PORT),),
        mounts=(Mount(storage.VOLUME, storage.FOLDER, read_only=True),) if on_volume else (),
        health=Health(("imgproxy", "health"), interval=2, retries=15, start_period=5),
        # With files in a store it is given signed addresses there.
        connects=(Edge("s3"),) if c.s3 is not None and not external else (),
        outside=("s3",) if external else (),
        provides={"imgproxy": "http"},
        optional=True,
        replicable=True,
    )
