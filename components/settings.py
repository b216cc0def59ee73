"""The settings of a stack: read, checked as a whole, and completed with their defaults.

Everything that is wrong is reported at once. Nothing here talks to Pulumi's engine or to a daemon, so all of it happens
before the first resource is registered. `python -m components.settings --write` renews what is made from the declaration:
Pulumi.yaml's schema and the tables in the docs.
"""

import os
import sys
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_origin

from components import (
    app_contradictions,
    database_contradictions,
    existing_secrets,
    external_contradictions,
    kubernetes_contradictions,
    managed_contradictions,
    policy_contradictions,
    secret_contradictions,
    secret_settings,
    supabase_contradictions,
    tenant_contradictions,
)
from components.config_values import ciphertexts, from_config, with_defaults, without_ciphertexts
from components.setting_contradictions import Context, contradictions, warnings
from components.setting_schema import (
    SECRETS,
    Field,
    Problem,
    default_of,
    fields,
    key_text,
    nearest,
    unknown,
    validate,
)
from components.setting_types import StackSettings
from components.setting_values import Ciphertext
from components.stack_settings import Settings, settings_of

if TYPE_CHECKING:
    import pulumi

__all__ = ["PROJECT", "ROOT", "Ciphertext", "Problem", "Settings", "SettingsError", "load", "load_file"]

PROJECT: Final = "supastack"
"""Name of the project, and so the namespace of its settings."""

ROOT: Final = Path(__file__).resolve().parent.parent
"""The project's folder, which relative paths start from."""


class SettingsError(Exception):
    """The settings can't be used. `problems`: all that is wrong, sorted by key."""

    def __init__(self, problems: Collection[Problem], *, project: str, stack: str) -> None:
        keys = {problem: key_text(problem.namespace or project, problem.path) for problem in problems}
        self.problems = sorted(keys, key=lambda problem: (keys[problem], problem.reason))
        count = "one setting is" if len(self.problems) == 1 else f"{len(self.problems)} settings are"
        lines = [f"{count} not right in stack {stack}; nothing has been touched."]
        for problem in self.problems:
            lines += ["", *(f"  {line}" for line in told(problem, project))]
        super().__init__("\n".join(lines))


def told(problem: Problem, project: str) -> list[str]:
    """A problem in lines, as people read it."""
    value = "" if problem.value is None else f" = {problem.value}"
    key = key_text(problem.namespace or project, problem.path)
    return [f"{key}{value}", f"  why: {problem.reason}", f"  fix: {problem.fix}"]


def load(
    source: "pulumi.Config | Mapping[str, object]",
    *,
    project: str = PROJECT,
    stack: str,
    secret_keys: Collection[str] = (),
    root: Path = ROOT,
    today: date | None = None,
) -> Settings:
    """Return the settings of a stack.

    `source`: the program's pulumi.Config, or a mapping of full keys (`supastack:cache`) to values, either as Pulumi hands
    them over (texts, groups as JSON) or as YAML reads them, with Ciphertext for what can't be read.
    `secret_keys`: keys of that mapping that are encrypted; for pulumi.Config they are known.
    `root`: the folder that relative paths start from.
    `today`: the day by which keys are told that end soon; by default the clock's (UTC). It changes no setting.

    Raises SettingsError with all that is wrong.
    """
    if not isinstance(source, Mapping):
        project = source.name
        source, secret_keys = _program_config()
    today = today or datetime.now(UTC).date()
    return _Load(source, project=project, stack=stack, secret_keys=frozenset(secret_keys), root=root, today=today).settings()


def load_file(path: Path, *, project: str = PROJECT, stack: str, root: Path = ROOT) -> Settings:
    """Return the settings in a stack file, without decrypting it: secret settings in it count as given and are left out.

    Raises SettingsError with all that is wrong, OSError where the file can't be read.
    """
    return load(written_in(path, project=project, stack=stack), project=project, stack=stack, root=root)


def written_in(path: Path, *, project: str = PROJECT, stack: str) -> dict[str, object]:
    """Return what a stack file says, by key, with Ciphertext for what is encrypted. Raises as `load_file`."""
    from components.stack_file import StackFileError, read

    try:
        return read(path.read_text(encoding="utf-8"))
    except (StackFileError, UnicodeDecodeError) as error:
        reason = str(error) if isinstance(error, StackFileError) else "it is not UTF-8 text"
        problem = Problem(path=(), value=None, reason=f"{path} can't be read: {reason}", fix="mend the file")
        raise SettingsError([problem], project=project, stack=stack) from None


def _program_config() -> tuple[dict[str, object], set[str]]:
    """Return all configuration of the running program, and which keys of it are encrypted."""
    from pulumi.runtime import config

    values: dict[str, object] = {**config.get_config_env(), **config.CONFIG.get()}
    secret = set(config.get_config_secret_keys_env())
    return values, secret | {key for key in values if config.is_config_secret(key)}


class _Load:
    """One reading of the settings."""

    def __init__(
        self, source: Mapping[str, object], *, project: str, stack: str, secret_keys: frozenset[str], root: Path, today: date
    ) -> None:
        self.source, self.project, self.stack, self.root, self.today = source, project, stack, root, today
        self.encrypted = {name for name in map(self._own_name, secret_keys) if name}
        self.problems: list[Problem] = []
        self.foreign: list[str] = []
        self.raw: dict[str, Any] = {}
        self.written: dict[str, Any] = {}

    def settings(self) -> Settings:
        declared = fields()
        for key, value in self.source.items():
            name = self._own_name(key)
            if name is None:
                self._look_at_foreign(key)
            elif name not in declared:
                self.problems.append(unknown((name,), list(declared)))
            elif name in SECRETS:
                self._read_secret(declared[name], value)
            else:
                self._read(declared[name], value)
        broken = {problem.path[0] for problem in self.problems if problem.namespace is None and len(problem.path) == 1}
        given = {**default_of(StackSettings), **self.raw}
        written = {name: with_defaults(declared[name], value) for name, value in given.items() if name not in broken}
        values, found = validate(written)
        self.problems += found
        values |= existing_secrets.counted(values)
        rules = Context(
            project=self.project,
            stack=self.stack,
            root=self.root,
            secrets={".".join(path) for path, _ in secret_settings.given(values)},
            today=self.today,
            docker_host=os.environ.get("DOCKER_HOST"),
            kubeconfig=os.environ.get("KUBECONFIG"),
            broken=[problem.path for problem in self.problems if problem.namespace is None],
        )
        ruled = managed_contradictions.as_ruled(values)
        self.problems += contradictions(ruled, rules)
        if self.problems:
            raise SettingsError(self.problems, project=self.project, stack=self.stack)
        self.written = {name: value for name, value in written.items() if declared[name].group and isinstance(value, dict)}
        said = (
            *warnings(ruled, rules),
            *supabase_contradictions.service_warnings(ruled, rules),
            *secret_contradictions.key_warnings(ruled, rules),
            *kubernetes_contradictions.target_warnings(ruled, rules),
            *database_contradictions.database_warnings(ruled, rules),
            *external_contradictions.external_warnings(ruled, rules),
            *app_contradictions.app_warnings(ruled, rules),
            *managed_contradictions.managed_warnings(values, rules),
            *tenant_contradictions.tenant_warnings(values, rules),
            *policy_contradictions.policy_warnings(values, rules),
        )
        return settings_of(
            values, written=self.written, project=self.project, stack=self.stack, root=self.root, said=(*self.foreign, *said)
        )

    def _own_name(self, key: str) -> str | None:
        """Return a key's name in the project's namespace, or None."""
        namespace, colon, name = key.partition(":")
        if not colon:
            return key  # as the engine reads it
        return name.removeprefix("config:") if namespace == self.project else None

    def _look_at_foreign(self, key: str) -> None:
        namespace, _, name = key.partition(":")
        if namespace in ("docker", "kubernetes"):
            ours = {"docker": "docker.host", "kubernetes": "kubernetes.context"}[namespace]
            self.foreign.append(f"{key} has no effect: this project names its providers itself ({self.project}:{ours})")
        elif namespace != "pulumi" and nearest(namespace, [self.project]):
            fix = f"did you mean {self.project}:{name}?"
            reason = "no such namespace is read"
            self.problems.append(Problem(path=(name,), namespace=namespace, value=None, reason=reason, fix=fix))

    def _read(self, field: Field, value: object) -> None:
        """Take a setting that is no secret, in the type it is declared with."""
        name = field.path[0]
        hidden = ciphertexts(value, (name,)) or ([(name,)] if name in self.encrypted else [])
        for path in hidden:
            inside = path == (name,) and field.group is not None
            reason = (
                "something in it is encrypted, and nothing in it is a secret"
                if inside
                else "it is encrypted, and is not a secret"
            )
            command = (
                f"pulumi config set --path '{key_text(self.project, path)}{'.NAME' if inside else ''}' VALUE --stack {self.stack}"
            )
            self.problems.append(Problem(path=path, value=None, reason=reason, fix=f"set it without --secret: {command}"))
        if (name,) not in hidden and not (value == "" and field.setting.default is None and not field.group):
            self.raw[name] = without_ciphertexts(from_config(field, value))

    def _read_secret(self, field: Field, value: object) -> None:
        """Take a secret setting, or a mapping of secrets, as far as it is encrypted."""
        name, mapping = field.path[0], get_origin(field.type) is dict
        if mapping:
            value = from_config(field, value)
        if value in ("", {}) and name not in self.encrypted:  # the engine's default
            return
        if mapping and isinstance(value, Ciphertext):
            reason = "it is encrypted as a whole, so the names in it can't be seen without the passphrase"
            fix = f"set each by itself: {self._secret_command((*field.path, 'NAME'))}"
            self.problems.append(Problem(path=(name,), value=None, reason=reason, fix=fix))
        elif name in self.encrypted or value is None:
            self.raw[name] = value
        elif (hidden := self._hidden_part((name,), value, mapping=mapping)) not in ({}, None):
            self.raw[name] = hidden

    def _hidden_part(self, path: tuple[str, ...], value: object, *, mapping: bool) -> object:
        """Return what is encrypted of a secret setting; what is readable is refused, in a mapping each value by itself."""
        if isinstance(value, Ciphertext):
            return value
        if isinstance(value, dict) and mapping:
            parts = {name: (self._hidden_part((*path, name), inner, mapping=True), inner) for name, inner in value.items()}
            return {name: part for name, (part, inner) in parts.items() if part is not None or inner is None}
        if value is not None:
            self.problems.append(
                Problem(
                    path=path,
                    value=None,
                    reason="it is a secret given in plain text: it stands readable in a file now, and must be considered exposed",
                    fix=f"choose a new one and run: {self._secret_command(path)}  (it asks for the value)",
                )
            )
        return None

    def _secret_command(self, path: tuple[str, ...]) -> str:
        key = key_text(self.project, path)
        at = f"--path '{key}'" if len(path) > 1 else key
        return f"pulumi config set --secret {at} --stack {self.stack}"


def main(arguments: list[str]) -> int:
    """Renew what is made from the declaration (`--write`), or say what is out of date."""
    from components.setting_docs import renew

    write = arguments == ["--write"]
    if arguments and not write:
        print("usage: python -m components.settings [--write]", file=sys.stderr)
        return 2
    changed = renew(ROOT, write=write)
    for path in changed:
        print(f"{'written' if write else 'out of date'}: {path}")
    return 1 if changed and not write else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
