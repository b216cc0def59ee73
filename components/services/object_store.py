"""The S3 object store and the job that makes its buckets.

Every engine is data of one shape; what differs between them stands in its own function. MinIO is what the tests run. SeaweedFS and
RustFS are written by reading their documentation; the images were not run.
"""

import json
from collections.abc import Callable

from components.service import (
    Address,
    Edge,
    Encoding,
    File,
    Gate,
    Health,
    Image,
    Kind,
    Port,
    Resources,
    Secret,
    Service,
    Text,
    Volume,
    text,
)
from components.setting_types import ObjectStorageEngine

ROOT_USER = "root-user"
ROOT_PASSWORD = "root-password"
ACCESS_KEY = "access-key"
SECRET_KEY = "secret-key"  # names of secrets, not their values

# How mc is told of the store, as the root user.
_MC_HOST = text("http://", Secret(ROOT_USER, Encoding.URL), ":", Secret(ROOT_PASSWORD, Encoding.URL), "@", Address("s3"))


def _minio(image: Image, memory_mib: int, region: str, _buckets: tuple[str, ...]) -> Service:
    return Service(
        name="minio",
        image=image,
        resources=Resources(memory_mib=memory_mib),
        command=("server", "/data", "--console-address", ":9001"),
        env={
            "MINIO_ROOT_PASSWORD": text(Secret(ROOT_PASSWORD)),
            "MINIO_ROOT_USER": text(Secret(ROOT_USER)),
            "MINIO_REGION": text(region),
        },
        ports=(Port("s3", 9000, publish="objectStore"), Port("console", 9001, publish="objectStoreConsole")),
        volumes=(Volume("data", "/data", precious=True),),
        health=Health(("mc", "ready", "local"), interval=2, retries=15, start_period=5),
        provides={"s3": "s3"},
        identity="minio",
        stop_grace=30,
    )


def _minio_buckets(buckets: tuple[str, ...]) -> Text:
    # Passwords come by environment and standard input (printf is the shell's own), never by arguments. An access key id is no secret.
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["s3:*"],
                "Resource": [r for b in buckets for r in (f"arn:aws:s3:::{b}", f"arn:aws:s3:::{b}/*")],
            }
        ],
    }
    lines = [
        "set -eu",
        *(f"mc mb --ignore-existing store/{b}" for b in buckets),
        f"printf '%s' '{json.dumps(policy)}' > /tmp/policy.json",
        "mc admin policy create store supastack /tmp/policy.json",
        'printf \'%s\\n%s\\n\' "$ACCESS_KEY" "$SECRET_KEY" | mc admin user add store >/dev/null',
        # Attaching twice is an error of its own kind; what counts is that the policy is attached in the end. By the shell's own words:
        # mc's image has neither grep nor sed (minio/mc#4764).
        'mc admin policy attach store supastack --user "$ACCESS_KEY" >/dev/null || '
        'case "$(mc admin user info store "$ACCESS_KEY")" in *supastack*) ;; *) exit 1 ;; esac',
        # Whoever had the policy before: a key that was changed is to be of no use any more.
        'users="$(mc --json admin user list store)"',
        "printf '%s\\n' \"$users\" | while read -r line; do",
        "  case $line in",
        """    *'"policyName":"supastack"'*)""",
        """      user=${line#*'"accessKey":"'}""",
        """      user=${user%%'"'*}""",
        '      if [ "$user" != "$ACCESS_KEY" ]; then mc admin user remove store "$user"; fi',
        "      ;;",
        "  esac",
        "done",
        "",
    ]
    return text("\n".join(lines))


def _minio_job(image: Image, buckets: tuple[str, ...]) -> Service:
    return _job(
        image,
        env={
            "MC_HOST_store": _MC_HOST,
            "ACCESS_KEY": text(Secret(ACCESS_KEY)),
            "SECRET_KEY": text(Secret(SECRET_KEY)),
        },
        script=_minio_buckets(buckets),
    )


def _seaweedfs(image: Image, memory_mib: int, _region: str, buckets: tuple[str, ...]) -> Service:
    config = "/etc/seaweedfs/s3.json"
    scope = [f"{action}:{bucket}" for bucket in buckets for action in ("Read", "List", "Tagging", "Write")]
    identities = text(
        '{"identities":[{"name":"root","credentials":[{"accessKey":',
        Secret(ROOT_USER, Encoding.JSON),
        ',"secretKey":',
        Secret(ROOT_PASSWORD, Encoding.JSON),
        '}],"actions":["Admin","Read","List","Tagging","Write"]},{"name":"app","credentials":[{"accessKey":',
        Secret(ACCESS_KEY, Encoding.JSON),
        ',"secretKey":',
        Secret(SECRET_KEY, Encoding.JSON),
        f'}}],"actions":{json.dumps(scope)}}}]}}\n',
    )
    return Service(
        name="seaweedfs",
        image=image,
        resources=Resources(memory_mib=memory_mib),
        command=("server", "-dir=/data", "-ip.bind=0.0.0.0", "-s3", "-s3.port=9000", f"-s3.config={config}"),
        files=(File(config, identities),),
        # What weed shell talks to; by gRPC, on ports that are 10000 above (seaweedfs' wiki, FAQ, "gRPC ports").
        ports=(
            Port("s3", 9000, publish="objectStore"),
            Port("master", 9333),
            Port("filer-grpc", 18888),
            Port("master-grpc", 19333),
        ),
        volumes=(Volume("data", "/data", precious=True),),
        # An anonymous request is answered with 403: any answer means that the gateway is up.
        health=Health(
            ("curl", "-sS", "--max-time", "2", "-o", "/dev/null", "http://127.0.0.1:9000/"),
            interval=2,
            retries=30,
            start_period=10,
        ),
        provides={
            "s3": "s3",
            "seaweedfs-filer-grpc": "filer-grpc",
            "seaweedfs-master": "master",
            "seaweedfs-master-grpc": "master-grpc",
        },
        # Not read.
        writable=None,
        identity="seaweedfs",
        stop_grace=30,
    )


def _seaweedfs_job(image: Image, buckets: tuple[str, ...]) -> Service:
    # weed shell ends with 0 whatever happened: the list afterwards tells.
    lines = ["set -eu"]
    for bucket in buckets:
        lines += [
            f'echo "s3.bucket.create -name {bucket}" | weed shell -master="$MASTER" || true',
            f'echo "s3.bucket.list" | weed shell -master="$MASTER" | awk \'$1 == "{bucket}" {{ found = 1 }} END {{ exit !found }}\'',
        ]
    return _job(
        image,
        env={"MASTER": text(Address("seaweedfs-master"))},
        script=text("\n".join([*lines, ""])),
        also=("seaweedfs-filer-grpc", "seaweedfs-master", "seaweedfs-master-grpc"),
    )


def _rustfs(image: Image, memory_mib: int, region: str, _buckets: tuple[str, ...]) -> Service:
    return Service(
        name="rustfs",
        image=image,
        resources=Resources(memory_mib=memory_mib),
        env={
            "RUSTFS_ACCESS_KEY": text(Secret(ROOT_USER)),
            "RUSTFS_ADDRESS": text("0.0.0.0:9000"),
            "RUSTFS_CONSOLE_ADDRESS": text("0.0.0.0:9001"),
            "RUSTFS_CONSOLE_ENABLE": text("true"),
            "RUSTFS_REGION": text(region),
            "RUSTFS_SECRET_KEY": text(Secret(ROOT_PASSWORD)),
            "RUSTFS_VOLUMES": text("/data"),
        },
        ports=(Port("s3", 9000, publish="objectStore"), Port("console", 9001, publish="objectStoreConsole")),
        volumes=(Volume("data", "/data", precious=True),),
        health=Health(("curl", "-f", "http://localhost:9000/health"), interval=2, retries=30, start_period=10),
        provides={"s3": "s3"},
        identity="rustfs",
        writable=("/logs",),
        stop_grace=30,
    )


def _rustfs_job(image: Image, buckets: tuple[str, ...]) -> Service:
    lines = ["set -eu", *(f"mc mb --ignore-existing store/{b}" for b in buckets), ""]
    return _job(
        image,
        env={"MC_HOST_store": _MC_HOST},
        script=text("\n".join(lines)),
    )


def _job(image: Image, *, env: dict[str, Text], script: Text, also: tuple[str, ...] = ()) -> Service:
    path = "/etc/supastack/buckets.sh"
    return Service(
        name="buckets",
        kind=Kind.JOB,
        image=image,
        resources=Resources(memory_mib=256),
        entrypoint=("/bin/sh",),
        command=(path,),
        env=env,
        files=(File(path, script),),
        connects=(Edge("s3", Gate.HEALTHY), *(Edge(c) for c in also)),
    )


# Engine -> server, job, role of the job's image, and whether the job can give the buckets a user of their own.
_ENGINES: dict[
    ObjectStorageEngine,
    tuple[Callable[[Image, int, str, tuple[str, ...]], Service], Callable[[Image, tuple[str, ...]], Service], str, bool],
] = {
    ObjectStorageEngine.MINIO: (_minio, _minio_job, "minio", True),
    ObjectStorageEngine.SEAWEEDFS: (_seaweedfs, _seaweedfs_job, "seaweedfs", True),
    ObjectStorageEngine.RUSTFS: (_rustfs, _rustfs_job, "s3-client", False),
}


def job_image_role(engine: ObjectStorageEngine) -> str:
    """Role of the image in which the engine's buckets are made."""
    return _ENGINES[engine][2]


def has_bucket_user(engine: ObjectStorageEngine) -> bool:
    """Whether the buckets get a user of their own; where not, the root user's credentials are given out."""
    return _ENGINES[engine][3]


def object_store(engine: ObjectStorageEngine, image: Image, *, memory_mib: int, region: str, buckets: tuple[str, ...]) -> Service:
    """The object store's server.

    Args:
        engine: One that is run here, so not `external`.
        image: The engine's image.
        memory_mib: Memory limit in MiB.
        region: S3 region it answers for; SeaweedFS takes any.
        buckets: What the app's user may use, where the server itself is told so.
    """
    return _ENGINES[engine][0](image, memory_mib, region, buckets)


def buckets_job(engine: ObjectStorageEngine, image: Image, buckets: tuple[str, ...]) -> Service:
    """The job that makes the buckets and, where the engine can, a user that may use these alone.

    It can run again at any time: what exists stays.
    """
    return _ENGINES[engine][1](image, buckets)
