"""Schemas of custom resources, from the CRDs in the Go modules that the test cluster takes them from, and its pins of them."""

import copy
import json
from functools import cache

import jsonschema
import yaml

from toolchain.cluster import builds, pins
from toolchain.context import Context

POD_SECURITY_ADMISSION = (
    "k8s.io/pod-security-admission",
    "v0.34.4",
    "h1:p0mjfXZHtknqO+imC4/jz9XOSxLB8B/sWnxMYAcNyao=",
)
"""What Kubernetes' own admission is tested with; as in toolchain/cluster/programs/kubernetes/go.sum."""

BARMAN_PLUGIN = (
    "github.com/cloudnative-pg/plugin-barman-cloud",
    "v0.15.0",
    "h1:gNVytrzzYUE08wxLDrjfJqy1FPPSFkMe1OEr4s4pVI0=",
)
"""For its CRD alone; the plugin is not run. Checksum: the Go checksum database's."""


@cache
def schemas():
    """Schema by (apiVersion, kind)."""
    modules = ((pins.GATEWAY_API, "config/crd/standard/*.yaml"), (BARMAN_PLUGIN, "config/crd/bases/*.yaml"))
    folders = [builds.module_files(Context.of(), *module) for module in modules]
    texts = [*(file.read_text() for folder in folders for file in sorted(folder.glob("*.yaml"))), builds.cnpg_release()]
    found = {}
    for one in (document for text in texts for document in yaml.safe_load_all(text)):
        if one and one["kind"] == "CustomResourceDefinition":
            for version in one["spec"]["versions"]:
                api = f"{one['spec']['group']}/{version['name']}"
                found[api, one["spec"]["names"]["kind"]] = closed(version["schema"]["openAPIV3Schema"])
    return found


def closed(schema):
    """An OpenAPI schema of a CRD as a JSON schema that refuses what the API server would drop, or refuse as an unknown field."""
    schema = copy.deepcopy(schema)
    _close(schema)
    schema["properties"]["metadata"] = {"type": "object"}
    return schema


def _close(schema):
    if schema.pop("x-kubernetes-int-or-string", False):
        schema.pop("type", None)
    if schema.pop("nullable", False) and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    open_ended = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if "properties" in schema and not open_ended:
        schema["additionalProperties"] = False
    for inner in (schema.get("properties") or {}).values():
        _close(inner)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            _close(schema[key])


def problems(body):
    """What is wrong with a custom resource by its own schema. What its CEL rules say is not looked at."""
    schema = schemas()[body["apiVersion"], body["kind"]]
    errors = jsonschema.Draft202012Validator(schema).iter_errors(json.loads(json.dumps(body)))
    return [f"{'.'.join(map(str, e.path))}: {e.message[:300]}" for e in errors]
