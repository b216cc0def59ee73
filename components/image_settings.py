"""Settings of the images: a mirror, references and digests."""

import re
from typing import Annotated, NotRequired

from typing_extensions import TypedDict

from components import image_reference, releases
from components.setting_declared import declared
from components.setting_values import Refused, Setting


def mirror(text: str) -> str:
    """Check the address of a mirror."""
    try:
        if len(text) > 200:
            raise ValueError("it is longer than a name may be with an image's after it")
        return image_reference.mirror(text)
    except ValueError as error:
        raise Refused("it is not the address of a mirror", str(error), hidden="@" in text) from None


def reference(text: str) -> str:
    """Check the reference of an image. Registries know names of up to 255 characters (the reference grammar's limit)."""
    try:
        image = image_reference.parse(text)
        if len(f"{image.host}/{image.path}") > 255:
            raise ValueError
        return str(image)
    except ValueError:
        raise Refused(
            "it is not the reference of an image", "write it as in docker.io/supabase/gotrue:v2.196.0", hidden="@" in text
        ) from None


def digest(text: str) -> str:
    """Check the digest of an image."""
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", text):
        raise Refused("it is not a digest", "write sha256: and 64 hex digits, as the registry shows it")
    return text


def role(text: str) -> str:
    """Check the role of an image."""
    if text not in releases.roles():
        raise Refused("no release has an image of that name", f"name one of these: {', '.join(releases.roles())}")
    return text


@declared
class ImageSettings(TypedDict):
    """The images."""

    mirror: NotRequired[Annotated[str, Setting(check=mirror)]]
    """Registry that all images are taken from instead of their own, as in "mirror.example.com/hub". Unset: their own."""
    overrides: NotRequired[Annotated[dict[str, str], Setting(default={}, key_check=role, check=reference)]]
    """Full reference of an image, by its role: taken as it stands, also in place of a local one."""
    digests: NotRequired[Annotated[dict[str, str], Setting(default={}, key_check=role, check=digest)]]
    """Digest of an image, by its role: it belongs to one tag, so another release wants another one. Local images have none."""
