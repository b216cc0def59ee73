"""The commands on a stack: up, preview, status, env, down, purge, activate. Each prints for a person and returns an exit code."""

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from toolchain import setup
from toolchain.announce import ToolchainError, fail, note
from toolchain.context import Context
from toolchain.stack import arguments, describe, env_forms, prepare, status_report, summary
from toolchain.stack.config import PrivateConfig, has_private_config, no_file, project_name, tracked_path
from toolchain.stack.docker_access import connect, locate
from toolchain.stack.engine import Engine, working
from toolchain.stack.state import CONTAINER, VOLUME, StackState
from toolchain.stack.status import Instance, Service, of_stack


def up(context: Context, rest: Sequence[str] = (), *, show_secrets: bool = False, confirm: str | None = None) -> int:
    """Bring the stack up. `rest`: further arguments for `pulumi up`. Returns 0 only where everything is healthy.

    Pulumi previews first, though nobody is asked: a program that can't be carried out as a whole changes nothing then. Where there is
    nothing yet that it could change, only the checks of the update itself stand before it: a third of the time is saved. In prod the
    preview is a run of its own, over which the policies are asked first: what they forbid touches nothing (policies.Forbidden).
    On Docker an image that can't be had, or a container that does not start, keeps down only what waits for it, and all that comes after
    the health gate: env files and apps. The exit code tells. A check that fails still ends all of it.

    `confirm`: the stack's name, where a lost state's namespace is to be taken over. Raises ToolchainError where it is not given then, and
    where `rest` leads to another stack or other settings.
    """
    from toolchain.preview import command, policies

    arguments.check(rest, "up")
    with prepare.for_up(context, confirmed=confirm == context.stack) as ready:
        context = ready.context
        new = [] if ready.state and ready.state.resources else ["--skip-preview"]
        judge = policies.judge(context)
        if judge.environment == policies.PROD:
            code = command.allowed(context, judge, rest)
            new = ["--skip-preview"]
        else:
            code = 0
        # In a cluster what fails is there and has its id, so its gate would only wait for it once more.
        going_on = ["--continue-on-error"] if ready.description.needs_docker else []
        code = code or Engine(context).run(["up", "--yes", *going_on, *new, *working(), *rest])
    if code != 0:
        from toolchain.child import INTERRUPTED
        from toolchain.stack import diagnose

        if code == INTERRUPTED or code > 128:
            note(f"pulumi was {'interrupted' if code == INTERRUPTED else 'killed'}: `{context.again}` goes on from there")
        elif ready.description.needs_docker:
            diagnose.explain(context, ready.description.images)
        elif (cluster := ready.description.cluster) is not None:
            note(
                f"all pods: kubectl --kubeconfig {cluster.kubeconfig} --context {cluster.context} -n {cluster.namespace} get pods"
            )
        return code
    print(f"\n{_look(context, show_secrets, ready.description.target).text}")
    return 0


def status(context: Context, *, show_secrets: bool = False, as_json: bool = False) -> int:
    """Print the summary, and what other instances there are on this machine. Returns 0 where the stack is up and well, 1 else.

    Of a stack that is not on Docker, Docker is not asked, so others are not told.
    """
    engine = _has_engine(context)
    if engine and has_private_config(context):
        PrivateConfig(context).sync()
    if engine and prepare.target(context) != "docker":
        seen = _look(context, show_secrets, prepare.target(context))
        instances = _in_cluster(context, seen) if as_json else []
    else:
        # Also where nothing is set up yet: the others may be another clone's.
        try:
            context = locate(context, prepare.docker_host(context) if engine else None)
        except ToolchainError as error:
            note(str(error))
        seen = _look(context, show_secrets) if engine else _Seen(f"Nothing is set up here yet: {context.again}.")
        instances = status_report.gather(context, seen.state)
    if as_json:
        print(json.dumps(_as_data(context, seen, instances, show_secrets), indent=2))
    else:
        own = seen.state.stack_id if seen.state else None
        mine = next((i for i in instances if i.key == (project_name(context.root), context.stack, own)), None)
        # What is down was told of, unless something of it is there that its state does not know.
        told = mine if mine and (seen.services or not mine.services) else None
        print("\n\n".join(filter(None, (seen.text, status_report.text(instances, told)))))
    return 0 if seen.well else 1


def _as_data(context: Context, seen: "_Seen", instances: list[Instance], show_secrets: bool) -> dict[str, object]:
    outputs = seen.state.outputs if seen.state else {}
    return {
        "project": project_name(context.root),
        "stack": context.stack,
        "exists": seen.state is not None,
        "well": seen.well,
        # A secret that is hidden is left out: half of a URL is no value.
        "outputs": {name: output.value for name, output in outputs.items() if show_secrets or not output.secret},
        "instances": status_report.data(instances),
    }


def env(context: Context, rest: Sequence[str] = (), *, show_secrets: bool = False, form: str = "text") -> int:
    """Print where the stack's env files are; with secrets shown, their content instead: of one that is not here, as the state has it.

    Args:
        context: The stack.
        rest: Of these apps only; also one that the stack writes no file of.
        show_secrets: Print what is in them.
        form: `text`, or one of `env_forms.FORMS`: one app's values as another program imports them.

    Returns the exit code.
    """
    printed = show_secrets or form != "text"
    state = Engine(context).read_state(show_secrets=printed) if _has_engine(context) else None
    files = summary.env_files(context, state.outputs if state else {})
    if form != "text":
        env_forms.check(form, list(rest or files), list(files), show_secrets=show_secrets)
    if state is None or not state.outputs:
        fail(f"stack {context.stack} has no env file: {context.again} writes it")
    if not rest and not files:
        fail(f"stack {context.stack} writes no env file. FOR=<app> SHOW_SECRETS=1 prints what one would hold, as in FOR=nextjs")
    missing = False
    for app in rest or files:
        path = files.get(app)
        here = summary.is_here(context, app, path)
        if form != "text":
            return env_forms.show(context, state, app, form, path if here else None)
        if show_secrets and not here:
            env_forms.text(context, state, app)
        elif show_secrets and path is not None:
            sys.stdout.write(path.read_text())
        elif here:
            print(path)
        else:
            missing = True
            note(f"{path or app}: {summary.why_not(context, app, path)}")
    if not show_secrets:
        note("SHOW_SECRETS=1 prints what is in it.")
    return 1 if missing else 0


def down(context: Context) -> int:
    """Remove everything but the data and what the data depends on."""
    with prepare.for_destroy(context) as (ready, state):
        if state is None:
            note(f"there is no stack {context.stack}: nothing to take down")
            return 0
        code = Engine(ready).destroy("--exclude-protected")
        left = Engine(ready).read_state()
    if code != 0:
        note(f"not everything is down; run the same again: make down{context.variables}")
        return code
    asleep = _asleep(ready, left)
    if asleep:
        note(f"asleep, since their operator would run them on: {', '.join(asleep)}")
    if prepare.target(context) == "managed":
        note(f"what others run is as it was; `{context.again}` brings the stack back")
        return 0
    kept = _kept(ready, left)
    if kept:
        note(f"kept, with the passwords that open them: {', '.join(kept)}")
    note(f"`{context.again}` brings the stack back with its data; `make purge{context.variables}` removes the data too")
    return 0


def purge(context: Context, *, confirm: str | None = None) -> int:
    """Remove everything, the data too, after the stack's name was typed or given as `confirm`.

    Raises ToolchainError where it is wrong.
    """
    from toolchain.stack import purging

    return purging.purge(context, confirm)


def activate(context: Context) -> int:
    """Print the shell command after which plain `pulumi` works on this stack, after setting up what that needs."""
    from toolchain.shim import install

    if tracked_path(context) is None:
        no_file(context)
    context = setup.ensure(context, setup.Needs(plugins=describe.plugins_of(prepare.target(context))))
    print(f". {shlex.quote(str(install.install(context)))}")
    note("in this shell `pulumi` now works on this clone; `supastack_deactivate` ends it")
    return 0


def _has_engine(context: Context) -> bool:
    return context.pulumi.is_file()


@dataclass(frozen=True)
class _Seen:
    """What there is of a stack: as text, and as it was found."""

    text: str
    well: bool = False
    state: StackState | None = None
    services: tuple[Service, ...] | None = ()
    """None: they could not be asked about."""
    kept: list[str] | None = None
    """What holds its data; None: nobody has asked."""


def _asleep(context: Context, state: StackState | None) -> list[str]:
    """Puts the databases that an operator runs to sleep."""
    if state is None or not state.cluster:
        return []
    from toolchain.stack import cluster_access, cluster_place, cluster_sleep

    try:
        with cluster_access.connect(cluster_place.of(context, state)) as access:
            return cluster_sleep.put_to_sleep(access, state)
    except ToolchainError as error:
        note(f"a database of the stack may run on: {error}")
        return []


def _kept(context: Context, state: StackState | None) -> list[str]:
    """What is left of a stack that is down, and holds its data."""
    if state is None or not state.cluster:
        return sorted(state.ids(VOLUME)) if state else []
    from toolchain.stack import cluster_access, cluster_place  # they bring Pulumi's SDK along: for those alone that need it

    try:
        with cluster_access.connect(cluster_place.of(context, state)) as access:
            return [f"{namespace}/{claim}" for namespace in sorted(state.namespaces) for claim in access.claims(namespace)]
    except ToolchainError as error:
        note(str(error))
        return []


def _look(context: Context, show_secrets: bool, target: str = "docker") -> _Seen:
    from toolchain.setup import plugins

    state = Engine(context).read_state(show_secrets=True)
    if state is None:
        return _Seen(f"Stack {context.stack} does not exist yet ({context.again}).")
    managed = target == "managed"
    if not (state.tells() if managed else state.runs()):
        held = _kept(context, state)
        kept = f"; its data is kept in {', '.join(held)}" if held else ""
        return _Seen(f"Stack {context.stack} is down{kept}. {context.again} brings it up.", state=state, kept=held)
    services = [] if managed else _services(context, state) if target == "docker" else _workloads(context, state)
    used = {r["type"].split(":")[2] for r in state.resources if r["type"].startswith("pulumi:providers:")}
    stand_ins = {n: plugins.is_stand_in(context, n) for n in used & {"docker", "random", "kubernetes"}}
    text = summary.render(context, state.outputs, services, stand_ins, show_secrets, target)
    if managed:
        return _Seen(text, well=True, state=state)
    if target != "docker":
        text += f"\n\n  `make forward{context.variables}` opens its ports on this machine"
    needed = [s for s in services or [] if s.needed]
    found = None if services is None else tuple(services)
    return _Seen(text, bool(needed) and all(s.well for s in needed), state, found)


def _in_cluster(context: Context, seen: _Seen) -> list[Instance]:
    """The stack as an instance, where its cluster has something of it."""
    state = seen.state
    if state is None or not state.cluster or seen.services is None:
        return []
    kept = _kept(context, state) if seen.kept is None else seen.kept
    if not seen.services and not kept:
        return []
    found = Instance(
        project_name(context.root),
        context.stack,
        state.stack_id or "",
        daemon=None,
        services=seen.services,
        volumes=tuple(kept),
        known=True,
        cluster={name: state.cluster[name] for name in ("context", "namespace") if name in state.cluster},
    )
    return [found]


def _workloads(context: Context, state: StackState) -> list[Service] | None:
    if not state.cluster:
        return []
    from toolchain.stack import cluster_access, cluster_place, cluster_status

    try:
        with cluster_access.connect(cluster_place.of(context, state)) as access:
            return cluster_status.of_stack(access, cluster_access.instance_of(context), state.outputs)
    except ToolchainError as error:
        note(str(error))
        return None


def _services(context: Context, state: StackState) -> list[Service] | None:
    if state.stack_id is None:
        return []
    try:
        with connect(context) as daemon:
            return of_stack(daemon, state.stack_id, state.ids(CONTAINER))
    except ToolchainError as error:
        note(str(error))
        return None
