"""Rules about images: what runs is what was looked at."""

import re
from collections.abc import Iterator
from typing import Final

from policies import ids
from policies.model import Resource, Rule
from policies.values import at, containers, pod, seen

_BUILT_HERE: Final = "supastack.local/"
"""Prefix of images that were built on the machine: no registry has them, and so they have no digest."""
_DIGEST: Final = re.compile(r"@sha256:[0-9a-f]{64}$")


def references(resource: Resource) -> Iterator[str]:
    """The references of images that a resource runs."""
    properties = resource.properties
    if resource.type == "docker:index/remoteImage:RemoteImage":
        found = [properties.get("name")]
    elif resource.type == "docker:index/container:Container":
        # Ours name the image by its id; others may name it by its reference.
        image = properties.get("image")
        found = [] if isinstance(image, str) and image.startswith("sha256:") else [image]
    elif resource.kind == "Cluster" and "postgresql.cnpg.io" in resource.type:
        found = [at(properties, "spec", "imageName")]
    else:
        spec = pod(properties, resource.kind)
        found = [] if spec is None else [container.get("image") for container in containers(spec)]
    # A container of Docker's that was made from an image of this stack has the image's id, known after the deployment.
    yield from dict.fromkeys(image for image in found if isinstance(image, str) and image and seen(image))


def _tag(reference: str) -> str | None:
    """The tag of a reference; None where it has none. What follows the last colon after the last slash."""
    _, colon, tag = reference.partition("@")[0].rsplit("/", 1)[-1].partition(":")
    return tag if colon else None


def _tagged(resource: Resource) -> Iterator[str]:
    for reference in references(resource):
        tag = _tag(reference)
        if tag == "latest":
            yield f"the image {reference} is `latest`: another one at any time"
        elif tag is None and not _DIGEST.search(reference):
            yield f"the image {reference} has no tag and no digest, which means `latest`"


def _by_digest(resource: Resource) -> Iterator[str]:
    for reference in references(resource):
        if reference.startswith(_BUILT_HERE):
            yield f"the image {reference} was built on one machine: no registry has it, so nothing says that it is the same elsewhere"
        elif not _DIGEST.search(reference):
            yield f"the image {reference} has no digest: its tag can be moved"


RULES: Final = (
    Rule(
        id=ids.IMAGE_TAGS,
        demand="Every image has a tag that is not `latest`, or a digest.",
        reason="What `latest` means changes without a deployment, and a node that starts a pod anew gets another version.",
        fix="name a release in supastack:images.overrides, or leave it out for the release's own image",
        resource=_tagged,
    ),
    Rule(
        id=ids.IMAGE_DIGESTS,
        demand="In prod every image is named by its digest.",
        reason="A tag can be moved to another image by whoever can write to the registry; a digest can't.",
        fix="run `make pin STACK=<stack>`, which writes supastack:images.digests where a registry answers, and for an app says what goes "
        "into apps.<name>.image; or waive the rule with a reason",
        resource=_by_digest,
        prod_only=True,
    ),
)
