"""Settings of Storage and of its image transformation."""

import re
from enum import Enum
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components import setting_values as values
from components.setting_declared import declared
from components.setting_values import Refused, Setting, size
from components.supabase_settings.buckets import BucketSettings, storage_bucket_name


class StorageBackend(str, Enum):
    """Where Storage keeps its files."""

    FILE = "file"
    S3 = "s3"


def folder_name(text: str) -> str:
    """Check the name of a tenant, which is a folder and the beginning of object names, too."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", text):
        raise Refused("it is not the name of a tenant", 'use up to 63 letters, digits, "_" and "-"')
    return text


def url_path(text: str) -> str:
    """Check a path of a URL."""
    if not re.fullmatch(r"(?:/[A-Za-z0-9._~-]+){1,20}", text):
        raise Refused("it is not a path", 'write it as in "/upload/resumable"')
    return text


@declared
class S3ProtocolSettings(TypedDict):
    """Storage's own S3 endpoint, at /storage/v1/s3."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether clients can reach Storage by S3."""


@declared
class TusSettings(TypedDict):
    """Resumable uploads (TUS)."""

    urlPath: NotRequired[Annotated[str, Setting(check=url_path)]]
    """TUS_URL_PATH: path of the uploads at Storage itself. Unset: Storage's own (/upload/resumable)."""
    urlExpiry: NotRequired[Annotated[int, Setting(unit="seconds", minimum=60, maximum=604800)]]
    """How long an upload can be taken up again. Unset: Storage's own (one hour)."""
    partSize: NotRequired[Annotated[int, Setting(unit="MB", minimum=5, maximum=5000)]]
    """Size of the parts that an S3 store is given, each held in memory. Unset: Storage's own (50)."""
    allowS3Tags: NotRequired[Annotated[bool, Setting()]]
    """Whether uploads are tagged in an S3 store; false for stores that know no tags. Unset: Storage's own (true)."""


@declared
class ImageTransformationSettings(TypedDict):
    """Images in other sizes and formats, made by imgproxy."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether Storage does it. Without imgproxy it can't."""
    maxSize: NotRequired[Annotated[int, Setting(unit="pixels", minimum=1, maximum=20000)]]
    """Most width and height that can be asked for. Unset: Storage's own (2000)."""


@declared
class StorageSettings(TypedDict):
    """Storage."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it. Turned off, its files stay."""
    backend: NotRequired[Annotated[StorageBackend, Setting(default="file")]]
    """Where files are kept: on a volume, or in the object store. A change moves none: those of the other place are not found."""
    bucket: NotRequired[Annotated[str, Setting(default="supabase-storage", check=values.bucket_name)]]
    """Bucket of the object store, or folder on the volume, that files are kept in. Files kept under another name are not found."""
    tenantId: NotRequired[Annotated[str, Setting(check=folder_name)]]
    """TENANT_ID: what the names of all files begin with. Unset: the project's reference."""
    region: NotRequired[Annotated[str, Setting(default="local", check=values.region)]]
    """Region of Storage's own S3 endpoint, with files on the volume; in an object store it is the store's."""
    fileSizeLimit: NotRequired[Annotated[str, size("50mb", minimum="1kb")]]
    """Largest file that can be uploaded."""
    maxConnections: NotRequired[Annotated[int, Setting(minimum=1, maximum=1000)]]
    """Most connections to the database. Unset: Storage's own (20)."""
    imageTransformation: NotRequired[ImageTransformationSettings]
    """Images in other sizes and formats."""
    s3Protocol: NotRequired[S3ProtocolSettings]
    """Storage's own S3 endpoint."""
    tus: NotRequired[TusSettings]
    """Resumable uploads."""
    buckets: NotRequired[Annotated[dict[str, BucketSettings], Setting(default={}, key_check=storage_bucket_name)]]
    """Buckets to make, by name, with who may do what in them. One taken off the list is kept, with its objects."""


@declared
class ImgproxySettings(TypedDict):
    """Image transformation (imgproxy)."""

    enabled: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether the stack has it. Without it Storage gives images as they are."""
    autoWebp: NotRequired[Annotated[bool, Setting(default=True)]]
    """Whether browsers that take WebP get it."""
    workers: NotRequired[Annotated[int, Setting(default=2, minimum=1, maximum=100)]]
    """How many images are worked on at once. Each takes up to 60 MB of memory at the usual `maxSrcResolution`."""
    maxSrcResolution: NotRequired[Annotated[int, Setting(unit="megapixels", minimum=1, maximum=1000)]]
    """Largest image that is worked on; memory goes with it. Unset: 16.8; with the releases of 2024 imgproxy's own."""
