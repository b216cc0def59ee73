"""The sample app (toolchain/images/sample-app) as an image of a user's own: under names of his, in two versions."""

import docker

SAMPLE = "supastack.local/sample-app:1"
NAME = "example/sample-app"
FIRST, SECOND, ABSENT = f"{NAME}:1", f"{NAME}:2", f"{NAME}:absent"


def tag(client: docker.DockerClient) -> None:
    """Gives the image, which is there, its two names; the second is another image, as a new version is."""
    image = client.images.get(SAMPLE)
    image.tag(NAME, "1")
    made = client.containers.create(image.id)
    try:
        config = {"Entrypoint": ["/sample-app"], "User": "1000:1000", "Labels": {"version": "2"}}
        client.api.commit(made.id, repository=NAME, tag="2", conf=config)
    finally:
        made.remove()
