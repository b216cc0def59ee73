"""ManifestFiles: a stack's manifests as files, for whoever applies them by other means (Argo CD, Flux, `kubectl apply`).

Secrets are left out: pods refer to them by name, and a list says which there are and with which keys. Whoever applies the files brings
them. What depends on a secret (a job's name, the marks of pods) is as the deployment made it.

The state refers to the provider by this module's name: moving it needs care for existing states.
"""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi
import yaml
from pulumi import dynamic

from components.targets.kubernetes.manifest import Manifest
from components.targets.kubernetes.storage import PAIRED_SECRET
from components.unknowns import marked

_HEADER: Final = "# Written by Supastack (supastack:kubernetes.render) with every deployment: changes are lost.\n"


class ManifestFiles(dynamic.Resource, module="supastack", name="ManifestFiles"):
    """The manifests of one component, one in a file, in a folder of the machine where the stack is deployed from."""

    def __init__(
        self, name: str, *, folder: str, manifests: Iterable[Manifest], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        """Declare the files.

        Args:
            name: Name of the resource, and of the list of secrets.
            folder: Where they are: absolute, or relative to the folder of Pulumi.yaml.
            manifests: What is written. Their leaves may be outputs.
            opts: Options of the resource.
        """
        manifests = tuple(manifests)
        bodies = {f"{manifest.name}.yaml": plain(manifest) for manifest in manifests if manifest.kind != "Secret"}
        super().__init__(
            ManifestFilesProvider(),
            name,
            # `drift` is what a refresh finds, and the next preview shows as put right.
            {"folder": folder, "bodies": bodies, "secrets": {f"{name}.secrets.txt": wanted(manifests)}, "drift": []},
            opts,
        )


def plain(manifest: Manifest) -> dict[str, Any]:
    """A manifest without what is secret or the engine's own: the mark of a password on a claim tells a guesser whether he is right."""
    body = dict(manifest.body)
    if templates := body.get("spec", {}).get("volumeClaimTemplates"):
        body["spec"] = {**body["spec"], "volumeClaimTemplates": [_unpaired(template) for template in templates]}
    return body


def _unpaired(template: Mapping[str, Any]) -> dict[str, Any]:
    metadata = template["metadata"]
    notes = {key: value for key, value in metadata["annotations"].items() if key != PAIRED_SECRET}
    return {**template, "metadata": {**metadata, "annotations": notes}}


def wanted(manifests: Iterable[Manifest]) -> list[str]:
    """The Secrets that pods refer to, one a line: name and keys."""
    found = [m.body for m in manifests if m.kind == "Secret"]
    return sorted(f"{body['metadata']['name']}: {', '.join(sorted(body.get('data', {})))}" for body in found)


def texts(props: Mapping[str, Any]) -> dict[str, str]:
    """What is in the files, by name."""
    # Sorted, as the engine keeps no order: the same manifests are the same files.
    found = {name: _HEADER + yaml.safe_dump(_numbers(body), sort_keys=True) for name, body in props["bodies"].items()}
    for name, lines in props["secrets"].items():
        if lines:
            found[name] = _HEADER + "# Secrets that the pods refer to, and their keys.\n" + "".join(f"{line}\n" for line in lines)
    return found


def _numbers(value: Any) -> Any:
    """The engine hands whole numbers over as floats, and Kubernetes takes none for a port."""
    if isinstance(value, dict):
        return {key: _numbers(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_numbers(inner) for inner in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


class ManifestFilesError(Exception):
    """The files could not be written. The text says which, why and what to do."""


def _refuse(reason: str) -> ManifestFilesError:
    # The SDK sends the traceback of what a provider raises to the user; this leaves the last line of it.
    sys.tracebacklimit = 0
    return ManifestFilesError(reason)


class ManifestFilesProvider(dynamic.ResourceProvider):
    """What the engine does with `ManifestFiles`."""

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.CheckResult:
        """Refuse, in preview too, to write over files that are not ours."""
        news = marked(news)
        return dynamic.CheckResult(news, [dynamic.CheckFailure("", reason) for reason in objections(news)])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.DiffResult:
        """Always an update in place."""
        news = marked(_news)
        return dynamic.DiffResult(
            changes=any(_olds.get(key) != news.get(key) for key in ("folder", "bodies", "secrets", "drift"))
        )

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Write them."""
        _write(props)
        return dynamic.CreateResult(str(props["folder"]), _outputs(props))

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> dynamic.UpdateResult:
        """Write them anew, and take away those that there are no more."""
        _write(_news)
        kept = {_place(_news) / name for name in texts(_news)}
        _remove(path for name in texts(_olds) if (path := _place(_olds) / name) not in kept)
        return dynamic.UpdateResult(_outputs(_news))

    def read(self, id_: str, props: dict[str, Any]) -> dynamic.ReadResult:
        """See what became of them; `drift` names those that are not as they were written."""
        drift = sorted(name for name, text in texts(props).items() if _content(_place(props) / name) != text)
        seen = {**_outputs(props), "drift": drift}
        return dynamic.ReadResult(id_, seen, dict(seen))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Take away what is ours."""
        _remove(_place(_props) / name for name in texts(_props))


def _outputs(props: Mapping[str, Any]) -> dict[str, Any]:
    return {key: props[key] for key in ("folder", "bodies", "secrets", "drift") if key in props}


def _place(props: Mapping[str, Any]) -> Path:
    # The engine starts providers in the folder of Pulumi.yaml.
    return Path.cwd() / Path(str(props["folder"])).expanduser()


def _content(path: Path) -> str | None:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return None


def objections(props: Mapping[str, Any]) -> list[str]:
    """What stands against writing the files. Nothing is changed."""
    if not isinstance(props.get("folder"), str):
        return []
    folder, setting = _place(props), "supastack:kubernetes.render"
    if folder.exists() and not folder.is_dir():
        return [f"{setting}: {folder} is no folder. Move it away, or set another path"]
    # What is not known yet is a text.
    names = [name for bag in (props.get("bodies"), props.get("secrets")) if isinstance(bag, dict) for name in bag]
    foreign = [name for name in names if (folder / name).exists() and not _ours(folder / name)]
    if not foreign:
        return []
    return [
        f"{setting}: {folder} has files that Supastack did not write: {', '.join(foreign)}. Move them away, or set another path"
    ]


def _ours(path: Path) -> bool:
    return (_content(path) or "").startswith(_HEADER)


def _write(props: Mapping[str, Any]) -> None:
    # Time has passed since the check.
    if wrong := objections(props):
        raise _refuse("\n".join(wrong))
    folder = _place(props)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts(props).items():
            draft = folder / f".{name}.draft"
            draft.write_text(text)
            draft.replace(folder / name)
    except OSError as error:
        raise _refuse(f"supastack:kubernetes.render: {folder} can't be written: {error.strerror}") from None


def _remove(paths: Iterable[Path]) -> None:
    folders = set()
    for path in paths:
        if _ours(path):
            path.unlink(missing_ok=True)
            folders.add(path.parent)
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
