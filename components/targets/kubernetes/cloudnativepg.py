"""A database server that the CloudNativePG operator runs: the one service with manifests of its own way.

Read in CloudNativePG 1.30 (its module's docs and custom resource definitions) unless said otherwise. What it does not do, the bootstrap
job does: upstream's initialisation. The operator runs SQL files (`postInitSQLRefs`), but through Go's driver, and upstream's and ours are
written for psql; and where a server begins by a recovery, none are run.

`postgres` is the operator's own superuser and can't be demoted. Roles that upstream's scripts create can't be declared here: the operator
would make them first, and the scripts would fail; nor later, since it takes away what is not declared. `supabase_admin` is declared.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pulumi

from components.operated import Backup, Operated, Pooling
from components.service import Service
from components.targets.kubernetes import pull_secret, resources, storage
from components.targets.kubernetes.files import encoded
from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.naming import STACK_ID, Stack
from components.targets.kubernetes.pod import pull_policy, version
from components.targets.kubernetes.readiness import POOLER
from components.targets.kubernetes.scaling import spread

API: Final = "postgresql.cnpg.io/v1"
BACKUP_API: Final = "barmancloud.cnpg.io/v1"
PLUGIN: Final = "barman-cloud.cloudnative-pg.io"
"""Name under which the cluster's instances ask for the Barman Cloud plugin."""
_RELOAD: Final = {"cnpg.io/reload": "true"}
"""On a Secret: a change of it takes effect at once."""
_PROJECTED: Final = "/projected"
"""Where an instance has what is projected into it: everything else there is read-only."""
_PROPAGATION: Final = "pulumi.com/deletionPropagationPolicy"
"""Annotation for Pulumi's provider: how what belongs to an object is deleted with it (its documentation, "Kubernetes: annotations")."""
_SUPERUSER: Final = "superuser"
_ADMIN: Final = "admin"
_VAULT: Final = "vault"
_BACKUP: Final = "backup"
"""Endings of the names of the Secrets."""
_KEY: Final = "vault.key"
_SCRIPT: Final = "vault-key.sh"
# Limits of an instance's and a pooler's scratch data, in MiB: chosen by us. The operator's manager lies there (64 MiB), and sockets and
# spools. With backups it is also the room of what waits to be uploaded, which is the more the slower the store is (cloudnative-pg#317,
# #3677): a limit that is too low has the primary evicted by its own backup, a high one costs nothing until it is used.
_SCRATCH_MIB: Final = 512
_BACKUP_MIB: Final = 8192
_POOLER_MIB: Final = 128
"""Memory of a pooler's pod with little load: PgBouncer, and the manager beside it. Chosen by us."""
_EXECUTABLE: Final = 0o555
_READABLE: Final = 0o440


def manifests(
    stack: Stack,
    component: str,
    service: Service,
    settings: Mapping[str, Any],
    secrets: Mapping[str, pulumi.Input[str]],
    after: tuple[str, ...] = (),
) -> list[Manifest]:
    """The manifests of such a server; the cluster's own comes first but for what it needs, and is named as a workload would be.

    Args:
        stack: Whose they are.
        component: Name of the component.
        service: With what the operator is told.
        settings: Of the target, completed.
        secrets: Value by name.
        after: Names of the manifests that the cluster comes after.

    The operator deletes the volumes with the cluster, so that is protected and left where it is: `down` does not end it. What it is told
    of backups is neither, or they could never be turned off: `down` keeps it too, since the cluster comes after it.
    """
    told = service.operated
    assert told is not None
    name = f"{component}-{service.name}"
    before = list(_secrets(stack, component, service, told, secrets))
    if told.backup is not None:
        before.append(_store(stack, component, service, told.backup))
    cluster = Manifest(
        name=name,
        body={
            "apiVersion": API,
            "kind": "Cluster",
            "metadata": _cluster_metadata(stack, component, service, told),
            "spec": _cluster(stack, component, service, told, settings),
        },
        after=(*after, *(manifest.name for manifest in before)),
        protect=True,
        retain=True,
    )
    return [*before, cluster, *_beside(stack, component, service, told, settings, cluster.name)]


def secrets(service: Service) -> list[str]:
    """Names of the Secrets that the operator reads; none of a service that it does not run."""
    told = service.operated
    if told is None:
        return []
    parts = {_SUPERUSER: True, _ADMIN: True, _VAULT: told.vault_key is not None, _BACKUP: told.backup is not None}
    return [f"{service.name}-{part}" for part, there in parts.items() if there]


def _metadata(stack: Stack, component: str, service: Service, part: str = "") -> dict[str, Any]:
    return stack.metadata(f"{service.name}-{part}" if part else service.name, component, service.name)


def _secrets(
    stack: Stack, component: str, service: Service, told: Operated, secrets: Mapping[str, pulumi.Input[str]]
) -> Iterator[Manifest]:
    """What the operator reads: logins as basic auth, the vault's key, the keys of backups. All but these stay as long as the cluster."""
    for part, user in ((_SUPERUSER, "postgres"), (_ADMIN, told.admin)):
        values = {"username": user, "password": secrets[told.password]}
        yield _secret(stack, component, service, part, values, "kubernetes.io/basic-auth")
    if told.vault_key is not None:
        # The extension runs a program that prints the key (`vault.getkey_script`).
        script = f"#!/bin/sh\nexec cat {_PROJECTED}/{_KEY}\n"
        yield _secret(stack, component, service, _VAULT, {_KEY: secrets[told.vault_key], _SCRIPT: script})
    if told.backup is not None:
        keys = {"accessKeyId": secrets[told.backup.access_key], "secretAccessKey": secrets[told.backup.secret_key]}
        yield _secret(stack, component, service, _BACKUP, {**keys, "region": told.backup.region}, stays=False)


def _secret(
    stack: Stack,
    component: str,
    service: Service,
    part: str,
    values: Mapping[str, pulumi.Input[str]],
    kind: str = "Opaque",
    *,
    stays: bool = True,
) -> Manifest:
    metadata = _metadata(stack, component, service, part)
    metadata["labels"] = {**metadata["labels"], **_RELOAD}
    return Manifest(
        name=f"{component}-{service.name}-{part}",
        body={"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": encoded(values)},
        protect=stays,
        retain=stays,
    )


def _cluster_metadata(stack: Stack, component: str, service: Service, told: Operated) -> dict[str, Any]:
    found = _metadata(stack, component, service)
    # Always there: the operator takes one that vanished for nothing new.
    found["annotations"] = {**found["annotations"], "cnpg.io/hibernation": "on" if told.hibernate else "off"}
    return found


def _cluster(stack: Stack, component: str, service: Service, told: Operated, settings: Mapping[str, Any]) -> dict[str, Any]:
    scratch = _SCRATCH_MIB if told.backup is None else _SCRATCH_MIB + _BACKUP_MIB
    given = resources.resources(service, settings, scratch + resources.LOGS_MIB)
    found: dict[str, Any] = {
        "bootstrap": {
            "initdb": {
                "database": told.database,
                "owner": told.admin,
                "secret": {"name": f"{service.name}-admin"},
                # As upstream's image makes it; libc's part is C, which every image has.
                "encoding": "UTF8",
                "localeProvider": "icu",
                "icuLocale": "en_US.UTF-8",
                "dataChecksums": True,
            }
        },
        "enablePDB": True,
        # Shared memory counts as the container's own; without a limit the kernel's is the node's.
        "ephemeralVolumesSizeLimit": {"shm": given["limits"]["memory"], "temporaryData": resources.quantity(scratch * 2**20)},
        "enableSuperuserAccess": True,
        "imageName": service.image.reference,
        "imagePullPolicy": pull_policy(service),
        # So its pods, claims and Services are known for the stack's.
        "inheritedMetadata": {
            "annotations": {STACK_ID: stack.stack_id, storage.IDENTITY: service.identity},
            "labels": stack.labels(component, service.name, version(service)),
        },
        "instances": told.instances,
        "managed": {
            "roles": [
                {
                    "name": told.admin,
                    "ensure": "present",
                    "comment": "Supabase's administrator",
                    "login": True,
                    "superuser": True,
                    "createdb": True,
                    "createrole": True,
                    "replication": True,
                    "bypassrls": True,
                    "inherit": True,
                    # A superuser needs none; one that is not named here would be revoked.
                    "inRoles": [],
                    "passwordSecret": {"name": f"{service.name}-admin"},
                }
            ],
            # The primary under the service's own name: others know it by that on every target.
            "services": {"additional": [_primary(service)]},
        },
        "postgresGID": told.group,
        "postgresUID": told.user,
        "postgresql": {
            "parameters": _parameters(told),
            "shared_preload_libraries": list(told.preload),
            **_synchronous(told),
        },
        "primaryUpdateMethod": "switchover" if told.instances > 1 else "restart",
        "primaryUpdateStrategy": "unsupervised",
        "resources": given,
        "storage": _volume(told.storage, settings),
        "superuserSecret": {"name": f"{service.name}-superuser"},
    }
    if told.wal_storage is not None:
        found["walStorage"] = _volume(told.wal_storage, settings)
    if told.vault_key is not None:
        found["projectedVolumeTemplate"] = _projected(service)
    found |= pull_secret.references(settings)
    if priority := settings.get("dataPriorityClass"):
        found["priorityClassName"] = priority
    if told.backup is not None:
        parameters = {"barmanObjectName": f"{service.name}-backup", "serverName": _life(stack)}
        found["plugins"] = [{"name": PLUGIN, "isWALArchiver": True, "parameters": parameters}]
    return found


def _life(stack: Stack) -> pulumi.Input[str]:
    """The folder of this database's backups in their destination: no other stack's, and none of an earlier life of this one.

    Barman refuses a write-ahead log beside another server's ("Expected empty archive"); the plugin's own name for it is the Cluster's,
    which is the same in every stack.
    """
    if isinstance(stack.stack_id, str):
        return f"{stack.instance}-{stack.stack_id}"
    return pulumi.Output.concat(stack.instance, "-", stack.stack_id)


def _synchronous(told: Operated) -> dict[str, Any]:
    """What is acknowledged is on a standby too, so a failover loses none of it.

    Of two servers the one that is left goes on alone (`preferred`); of more, one that no standby hears writes nothing.
    """
    if told.instances == 1:
        return {}
    durability = "preferred" if told.instances == 2 else "required"
    return {"synchronous": {"method": "any", "number": 1, "dataDurability": durability}}


def _primary(service: Service) -> dict[str, Any]:
    ports = [{"name": "postgres", "port": 5432, "protocol": "TCP", "targetPort": 5432}]
    template = {"metadata": {"name": service.name}, "spec": {"ports": ports, "type": "ClusterIP"}}
    return {"selectorType": "rw", "serviceTemplate": template, "updateStrategy": "patch"}


def _parameters(told: Operated) -> dict[str, str]:
    script = f"{_PROJECTED}/{_SCRIPT}"
    key = {} if told.vault_key is None else {"vault.getkey_script": script, "pgsodium.getkey_script": script}
    return dict(sorted({**told.parameters, **key}.items()))


def _projected(service: Service) -> dict[str, Any]:
    items = [{"key": _KEY, "path": _KEY, "mode": _READABLE}, {"key": _SCRIPT, "path": _SCRIPT, "mode": _EXECUTABLE}]
    return {"sources": [{"secret": {"name": f"{service.name}-vault", "items": items}}]}


def _volume(size: int, settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"size": resources.quantity(size), "resizeInUseVolumes": True}
    if storage_class := settings.get("storageClass"):
        found["storageClass"] = storage_class
    return found


def _store(stack: Stack, component: str, service: Service, backup: Backup) -> Manifest:
    """Where backups go, as the Barman Cloud plugin is told (its documentation, "Using the Barman Cloud Plugin").

    It goes with the setting: the backups themselves are in the store, and stay there.
    """

    def key(name: str) -> dict[str, str]:
        return {"name": f"{service.name}-backup", "key": name}

    configuration: dict[str, Any] = {
        "destinationPath": backup.destination,
        "s3Credentials": {
            "accessKeyId": key("accessKeyId"),
            "secretAccessKey": key("secretAccessKey"),
            "region": key("region"),
        },
        "wal": {"compression": "gzip"},
        "data": {"compression": "gzip"},
    }
    if backup.endpoint is not None:
        configuration["endpointURL"] = backup.endpoint
    return Manifest(
        name=f"{component}-{service.name}-store",
        body={
            "apiVersion": BACKUP_API,
            "kind": "ObjectStore",
            "metadata": _metadata(stack, component, service, "backup"),
            "spec": {"configuration": configuration, "retentionPolicy": backup.retention},
        },
        after=(f"{component}-{service.name}-backup",),
        wait=False,
    )


def _beside(
    stack: Stack, component: str, service: Service, told: Operated, settings: Mapping[str, Any], cluster: str
) -> Iterator[Manifest]:
    """What belongs to the cluster and can come and go: databases, the schedule of backups, the pooler."""

    def made(kind: str, part: str, spec: Mapping[str, Any]) -> Manifest:
        metadata = _metadata(stack, component, service, part)
        # The operator (1.30.0) makes a pooler's Deployment anew for as long as the pooler's deletion in the foreground waits for it to go.
        metadata["annotations"] = {**metadata["annotations"], _PROPAGATION: "background"}
        return Manifest(
            name=f"{cluster}-{part}",
            body={
                "apiVersion": API,
                "kind": kind,
                "metadata": metadata,
                "spec": {"cluster": {"name": service.name}, **spec},
            },
            after=(cluster,),
            # The provider knows no readiness of it.
            wait=False,
        )

    for database, schemas in sorted(told.schemas.items()):
        spec: dict[str, Any] = {
            "name": database,
            "owner": told.admin,
            "ensure": "present",
            "databaseReclaimPolicy": "retain",
            "schemas": [{"name": schema, "owner": told.admin, "ensure": "present"} for schema in schemas],
        }
        yield made("Database", database.strip("_").replace("_", "-"), spec)
    if told.backup is not None:
        spec = {
            "schedule": told.backup.schedule,
            "method": "plugin",
            "pluginConfiguration": {"name": PLUGIN},
            "backupOwnerReference": "self",
            # Without a first one, nothing can be restored until the schedule comes round.
            "immediate": True,
            "suspend": told.hibernate,
        }
        yield made("ScheduledBackup", "base-backups", spec)
    if told.pooler is not None:
        yield made("Pooler", told.pooler.name.removeprefix(f"{service.name}-"), _pooler(told.pooler, settings))


def _pooler(pooler: Pooling, settings: Mapping[str, Any]) -> dict[str, Any]:
    """A Pooler's spec. Its pods are the operator's; only what they may use and where they go is said here."""
    selector = {"matchLabels": {POOLER: pooler.name}}
    given = resources.by_profile(_POOLER_MIB, settings, _SCRATCH_MIB + resources.LOGS_MIB)
    container: dict[str, Any] = {"name": "pgbouncer", "resources": given}
    if pooler.image is not None:
        container |= {
            "image": pooler.image.reference,
            "imagePullPolicy": "IfNotPresent" if pooler.image.kind == "registry" else "Never",
        }
    # The other container is the one that brings the manager along.
    spec: dict[str, Any] = {"containers": [container], "initContainers": [{"name": "bootstrap-controller", "resources": given}]}
    if pooler.instances > 1:
        spec |= spread(selector)
    spec |= pull_secret.references(settings)
    return {
        "instances": pooler.instances,
        "type": "rw",
        "pgbouncer": {"poolMode": pooler.mode, "parameters": {"max_client_conn": "1000"}},
        "template": {"spec": spec},
    }
