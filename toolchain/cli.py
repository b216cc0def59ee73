"""The commands behind the Makefile: `python -m toolchain <command>`, run by toolchain/bootstrap.py in the virtual environment.

Each prints its set-up steps on stderr and what was asked for on stdout. Exit codes: 0 done, 1 failed, 2 wrong arguments,
130 interrupted.
"""

import argparse
import sys
import traceback
from collections.abc import Sequence

from toolchain.announce import ToolchainError, fail, verbose
from toolchain.child import INTERRUPTED
from toolchain.context import Context
from toolchain.delivery import command as delivery


def main(arguments: Sequence[str]) -> int:
    """Run one command. Returns the exit code; errors meant for the user are printed as one block."""
    options = _parser().parse_args(arguments)
    try:
        return _dispatch(options)
    except ToolchainError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        return 1
    except OSError as error:
        # Of the machine: a full disk, a folder that can't be written.
        if verbose():
            traceback.print_exc()
        again = "" if verbose() else "\n  The same with VERBOSE=1 shows where it happened."
        print(f"error: {error}{again}", file=sys.stderr)
        return 1


def _dispatch(options: argparse.Namespace) -> int:
    # Imported where needed: a command pays only for what it uses.
    if options.command in ("test", "lint", "bench", "lock"):
        from toolchain import develop

        return develop.run(options.command, Context.of(), options.rest)
    if options.command in ("cluster", "cluster-down"):
        from toolchain.cluster import command

        return command.run(Context.of(), ["up" if options.command == "cluster" else "down", *options.rest])
    if options.command in delivery.COMMANDS:
        return delivery.run(options.command, options.stack, options.rest)
    context = Context.of(options.stack, options.instance)
    from toolchain.stack import operations, programs

    if options.command in programs.COMMANDS:
        return programs.run(options.command, context, options.rest)

    if options.command in ("preview", "drift", "status", "env"):
        return _report(options, context)
    match options.command:
        case "up":
            return operations.up(context, options.rest, show_secrets=options.show_secrets, confirm=options.confirm)
        case "down":
            return operations.down(context)
        case "smoke":
            from toolchain.smoke.command import smoke

            return smoke(context)
        case "pin":
            from toolchain.pin.command import run as pin

            return pin(context)
        case "forward":
            from toolchain.stack import forward

            return forward.forward(context)
        case "purge":
            return operations.purge(context, confirm=options.confirm)
        case _:
            return operations.activate(context)


def _report(options: argparse.Namespace, context: Context) -> int:
    from toolchain.preview import command, policies
    from toolchain.stack import operations

    match options.command:
        case "preview":
            _choice(options, command.FORMATS)
            commit, judge = options.commit, policies.judge
            return command.preview(context, options.rest, form=options.format, commit=commit, judge_of=judge)
        case "drift":
            _choice(options, command.FORMATS)
            return command.show_drift(context, options.rest, form=options.format)
        case "status":
            _choice(options, ("text", "json"))
            return operations.status(context, show_secrets=options.show_secrets, as_json=options.format == "json")
        case _:
            return operations.env(context, options.rest, show_secrets=options.show_secrets, form=options.format)


def _choice(options: argparse.Namespace, known: Sequence[str]) -> None:
    if options.format not in known:
        fail(f"FORMAT={options.format}: make {options.command} knows {', '.join(known)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m toolchain", description="Sets up and runs a Supastack.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in {
        "up": "set up what is missing, bring the stack up, print a summary",
        "preview": "set up what is missing, show what `up` would change",
        "smoke": "ask a stack that is deployed as its users do, by its outputs",
        "drift": "report what was changed by other hands since the last deployment",
        "status": "print the stack's URLs, containers and images",
        "env": "print where the env files of the apps are; with --show-secrets what is in them",
        "down": "remove everything but the data",
        "purge": "remove everything, the data too",
        "forward": "open the ports of a stack in a cluster on this machine, until Ctrl-C",
        "activate": "print the shell commands after which plain `pulumi` works on this stack",
        "check-env": "check an env file: FILE=... FOR=app",
        "env-example": "print an env file's keys without secrets: FOR=app",
        "graph": "draw the stack: the file to write",
        "pin": "write the digests of the stack's images into its file, as their registries tell them",
        **delivery.COMMANDS,
    }.items():
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument("--stack", default="dev", help="the stack, as in Pulumi.<stack>.yaml (default: dev)")
        command.add_argument("--instance", type=int, default=None, help="n above 1: a stack of its own, <stack>-n")
        command.add_argument("--show-secrets", action="store_true", help="print secrets too")
        command.add_argument("--format", default="text", help="of status, preview, drift and env (default: text)")
        command.add_argument(
            "--commit", default=None, help="what the report of preview says that it is of (default: what git says)"
        )
        command.add_argument(
            "--confirm", default=None, help="the stack's name, for purge, and for an up that takes over a lost state's namespace"
        )
        command.add_argument("rest", nargs="*", help="passed on (after --)")
    for name, what in {
        "test": "set up what the tests need, then lint and test (the rest goes to pytest)",
        "lint": "format check, lint, types",
        "bench": "measure",
        "cluster": "have a one-node Kubernetes of our own run (the rest: --cnpg, --images ..., --folder)",
        "cluster-down": "end it; its data stays (the rest: --purge, --folder)",
        "lock": "make requirements.txt and requirements-dev.txt anew (the rest goes to pip-compile)",
    }.items():
        command = commands.add_parser(name, help=what, description=what)
        command.add_argument("rest", nargs="*", help="passed on (after --)")
    return parser
