"""Storage's files in the object store: the whole program under a mocked engine."""

import json

import pytest

from components.object_storage import Reached, reached
from tests.conftest import holders_of, unwrapped
from tests.unit.components.placements import placement
from tests.unit.components.test_program import run

STORE = {"fallback": "minio", "buckets": ["app", "files"], "region": "eu-central-1"}
CONFIG = {
    "supastack:imageSource": "local",
    "supastack:objectStorage": json.dumps(STORE),
    "supastack:supabase": json.dumps({"storage": {"backend": "s3", "bucket": "files"}}),
}


def variables(recorder, container):
    return dict(line.split("=", 1) for line in unwrapped(recorder.inputs(container))["envs"])


def test_storage_is_given_the_address_and_the_keys_of_the_stacks_own_store(engine):
    recorder = run(engine, CONFIG)
    told = variables(recorder, "supabase-storage")
    assert (told["GLOBAL_S3_ENDPOINT"], told["GLOBAL_S3_BUCKET"], told["REGION"]) == (
        "http://minio:9000",
        "files",
        "eu-central-1",
    )
    job = variables(recorder, "objects-buckets")
    assert (told["AWS_ACCESS_KEY_ID"], told["AWS_SECRET_ACCESS_KEY"]) == (job["ACCESS_KEY"], job["SECRET_KEY"])
    assert told["AWS_SECRET_ACCESS_KEY"]


def test_the_stores_keys_are_secret_in_storage(engine):
    recorder = run(engine, CONFIG)
    key = variables(recorder, "supabase-storage")["AWS_SECRET_ACCESS_KEY"]
    assert holders_of(key, recorder.inputs("supabase-storage")) == {"secret"}


def test_the_volume_of_storage_stays_while_the_files_are_in_the_store(engine):
    recorder = run(engine, CONFIG)
    assert recorder.requests["supabase-storage-data"].protect
    mounted = {v["container_path"] for v in unwrapped(recorder.inputs("supabase-imgproxy")).get("volumes", [])}
    assert mounted == set()


@pytest.mark.parametrize(
    ("engine_name", "at"), [("minio", "minio:9000"), ("seaweedfs", "seaweedfs:9000"), ("rustfs", "rustfs:9000")]
)
def test_every_engine_is_reached_by_its_name(engine_name, at):
    args = {"placement": placement(local_images=False), "settings": {"engine": engine_name}}
    assert reached(args) == Reached(endpoint=f"http://{at}", region="us-east-1", external=False)


def test_a_store_of_others_is_reached_where_it_is():
    settings = {"engine": "external", "endpoint": "https://s3.example.com", "accessKey": "key", "region": "eu"}
    args = {"placement": placement(), "settings": settings}
    assert reached(args) == Reached(endpoint="https://s3.example.com", region="eu", external=True)


def test_a_store_that_is_off_is_not_reached():
    assert reached({"placement": placement(), "settings": {"enabled": False}}) is None
