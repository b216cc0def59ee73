"""The docker plugin's Network, Volume and RemoteImage over their life in the engine, held against `docker inspect`.

Sources, named beside each expectation:
  N  kreuzwerker/terraform-provider-docker, internal/provider/resource_docker_network.go and _network_funcs.go
  V  the same, resource_docker_volume.go
  I  the same, resource_docker_image.go and _image_funcs.go
  B  pulumi/pulumi-docker, provider/resources.go
"""

# ruff: noqa: F811 - pytest hands fixtures in under the names under which they are imported

import pytest

from .docker_world import REPOSITORY, World
from .harness import PLUGINS, Project
from .test_docker_conformance import IMPORT, image, plugins, world  # noqa: F401 - fixtures

pytestmark = [pytest.mark.engine, pytest.mark.docker]
stand_in_only = pytest.mark.skipif(PLUGINS != "stand-in", reason="the official plugin waits longer, or was not read on it")
REPLACED = ["create-replacement", "replace", "delete-replaced"]
REPLACED_DELETE_FIRST = ["delete-replaced", "replace", "create-replacement"]


def network(world: World, arguments: str = "") -> str:
    return IMPORT + f'docker.Network("network", name="{world.name("network")}", {arguments})\n'


def volume(world: World, arguments: str = "") -> str:
    return IMPORT + f'docker.Volume("volume", name="{world.name("volume")}", {arguments})\n'


def test_a_network_over_its_life(project: Project, world: World) -> None:
    arguments = 'internal=True, labels=[{"label": "who", "value": "me"}], ipam_configs=[{"subnet": "10.213.7.0/24"}]'
    program = network(world, arguments)
    assert project.preview(program).ops() == {"network": ["create"]}
    assert world.api.networks(names=[world.name("network")]) == []
    project.up(program)
    found = world.api.inspect_network(world.name("network"))
    assert found["Internal"]
    assert found["Labels"] == {"who": "me"}
    assert found["IPAM"]["Config"][0]["Subnet"] == "10.213.7.0/24"
    made = project.state()["network"]
    assert made.id == found["Id"]
    assert (made.outputs["driver"], made.outputs["scope"]) == ("bridge", "local")  # N: Read
    assert project.up(program, "--refresh").ops() == {}

    world.api.remove_network(world.name("network"))
    assert project.refresh().ops() == {"network": ["delete"]}  # N: "not found, removing from state"
    assert project.up(program).ops() == {"network": ["create"]}
    project.destroy()
    assert world.api.networks(names=[world.name("network")]) == []


def test_a_network_with_defaults_is_unchanged_by_a_second_up(project: Project, world: World) -> None:
    project.up(network(world))
    assert project.up(network(world), "--refresh").ops() == {}


def test_a_changed_network_is_replaced(project: Project, world: World) -> None:
    program = IMPORT + f'docker.Network("{world.name("network")}", internal=%s)\n'
    project.up(program % False)
    # N: ForceNew; without a fixed name the new one comes first.
    assert project.up(program % True).ops() == {world.name("network"): REPLACED}
    [found] = world.api.networks(names=[world.prefix])
    assert found["Internal"]


def test_a_second_network_of_the_same_name_is_refused(project: Project, world: World) -> None:
    world.api.create_network(world.name("network"))
    run = project.up(network(world), fails=True)
    assert any("already exists" in error for error in run.errors)
    assert len(world.api.networks(names=[world.name("network")])) == 1


@stand_in_only
def test_a_network_still_in_use_is_not_removed_and_the_error_says_so(project: Project, world: World) -> None:
    project.up(network(world))
    config = world.api.create_networking_config({world.name("network"): world.api.create_endpoint_config()})
    guest = world.api.create_container(world.image, ["sleep", "1000"], name=world.name("guest"), networking_config=config)
    world.api.start(guest)
    run = project.destroy(fails=True)
    assert any("containers still use it" in error for error in run.errors)
    assert "network" in project.state()
    world.api.remove_container(guest, force=True)
    project.destroy()


def test_a_volume_over_its_life(project: Project, world: World) -> None:
    program = volume(
        world, 'labels=[{"label": "who", "value": "me"}], driver_opts={"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}'
    )
    project.up(program)
    found = world.api.inspect_volume(world.name("volume"))
    assert (found["Labels"], found["Driver"]) == ({"who": "me"}, "local")
    assert found["Options"] == {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"}
    made = project.state()["volume"]
    assert made.id == world.name("volume")  # V: SetId(retVolume.Name)
    assert made.outputs["mountpoint"] == found["Mountpoint"]
    assert project.up(program, "--refresh").ops() == {}

    world.api.remove_volume(world.name("volume"))
    assert project.refresh().ops() == {"volume": ["delete"]}  # kreuzwerker/terraform-provider-docker pull request 749
    assert project.up(program).ops() == {"volume": ["create"]}
    project.destroy()
    assert not world.api.volumes(filters={"name": world.prefix})["Volumes"]


def test_a_volume_that_is_there_already_is_taken_with_its_data(project: Project, world: World) -> None:
    world.api.create_volume(world.name("volume"))
    mount = world.api.create_host_config(binds=[f"{world.name('volume')}:/v"])
    writer = world.api.create_container(
        world.image, ["sh", "-c", "echo kept > /v/file"], name=world.name("writer"), volumes=["/v"], host_config=mount
    )
    world.api.start(writer)
    world.api.wait(writer)
    world.api.remove_container(writer)
    project.up(volume(world))
    assert world.file_in_volume(world.name("volume"), "file") == "kept\n"
    assert project.up(volume(world), "--refresh").ops() == {}


def test_a_volume_that_is_there_with_other_labels_shows_the_difference_and_would_be_replaced(
    project: Project, world: World
) -> None:
    world.api.create_volume(world.name("volume"), labels={"who": "other"})
    program = volume(world, 'labels=[{"label": "who", "value": "me"}]')
    project.up(program)
    # V: Read gives the daemon's labels and they are ForceNew. Programs that adopt volumes ignore labels.
    assert project.preview(program).ops() == {"volume": REPLACED_DELETE_FIRST} or project.preview(program).ops() == {
        "volume": REPLACED
    }
    ignoring = volume(world, 'labels=[{"label": "who", "value": "me"}], opts=pulumi.ResourceOptions(ignore_changes=["labels"])')
    assert project.up(ignoring, "--refresh").ops() == {}


def test_a_volume_kept_on_delete_stays(project: Project, world: World) -> None:
    project.up(volume(world, "opts=pulumi.ResourceOptions(retain_on_delete=True)"))
    project.destroy()
    assert world.api.inspect_volume(world.name("volume"))["Name"] == world.name("volume")


def test_volume_names_are_made_up_where_the_program_gives_none(project: Project, world: World) -> None:
    program = IMPORT + f'docker.Volume("{world.name("volume")}")\n'
    project.up(program)
    [found] = world.api.volumes(filters={"name": world.prefix})["Volumes"]
    assert found["Name"].startswith(f"{world.name('volume')}-")  # B: SetAutonaming
    assert len(found["Name"]) == len(world.name("volume")) + 8
    assert project.up(program, "--refresh").ops() == {}


def tagged(world: World, name: str) -> str:
    """Another tag on the tests' image."""
    tag = f"{world.prefix}-{name}"
    world.api.tag(world.image, REPOSITORY, tag)
    return f"{REPOSITORY}:{tag}"


def remote_image(name: str, arguments: str = "") -> str:
    return IMPORT + f'docker.RemoteImage("image", name="{name}", {arguments})\n'


def test_an_image_that_is_here_is_not_pulled_and_known_by_its_id(project: Project, world: World) -> None:
    name = tagged(world, "a")
    project.up(remote_image(name, "keep_locally=True"))
    made = project.state()["image"]
    image_id = world.api.inspect_image(name)["Id"]
    assert made.outputs["imageId"] == image_id
    assert made.id == image_id + name  # I: SetId(apiImage.ID + name)
    assert project.up(remote_image(name, "keep_locally=True"), "--refresh").ops() == {}


@pytest.mark.parametrize(("keep", "stays"), [(True, True), (False, False)])
def test_destroy_removes_an_image_unless_it_is_kept_locally(project: Project, world: World, keep: bool, stays: bool) -> None:
    name = tagged(world, "a")
    project.up(remote_image(name, f"keep_locally={keep}"))
    project.destroy()
    tags = {tag for item in world.api.images() for tag in item["RepoTags"] or []}
    assert (name in tags) is stays  # I: removeImage


def test_keeping_an_image_locally_is_an_update_and_another_name_a_replacement(project: Project, world: World) -> None:
    first, second = tagged(world, "a"), tagged(world, "b")
    project.up(remote_image(first))
    assert project.up(remote_image(first, "keep_locally=True")).ops() == {"image": ["update"]}
    assert project.up(remote_image(second, "keep_locally=True")).ops() == {"image": REPLACED}  # I: name is ForceNew


def test_an_image_that_was_removed_is_seen_by_refresh(project: Project, world: World) -> None:
    name = tagged(world, "a")
    project.up(remote_image(name, "keep_locally=True"))
    world.api.remove_image(name)
    assert project.refresh().ops() == {"image": ["delete"]}  # I: SetId("")


def test_an_image_that_is_nowhere_is_named_in_one_error(project: Project) -> None:
    run = project.up(remote_image("supatest.local/nothing:1"), fails=True)
    assert any("supatest.local/nothing:1" in error for error in run.errors)
    assert project.state() == {}


def test_a_container_of_an_image_resource_is_not_recreated_by_a_second_up(project: Project, world: World) -> None:
    name = tagged(world, "a")
    program = remote_image(name, "keep_locally=True").replace("docker.RemoteImage", "image = docker.RemoteImage")
    program += f'docker.Container("web", name="{world.name("web")}", image=image.image_id, command=["sleep", "1000"])\n'
    project.up(program)
    assert project.up(program, "--refresh").ops() == {}
