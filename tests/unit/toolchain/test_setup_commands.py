"""The command line, its announcements, and interruptions."""

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toolchain import announce, bootstrap, child, cli
from toolchain.announce import ToolchainError
from toolchain.setup import system

ROOT = bootstrap.ROOT


def run_python(code, **options):
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", code], env=env, text=True, **options)


def test_an_error_for_the_user_is_one_block_without_a_traceback(monkeypatch, capfd):
    def fails(_):
        announce.fail("the setting x is wrong.\n  Set it to y.")

    monkeypatch.setattr(cli, "_dispatch", fails)
    assert cli.main(["up"]) == 1
    captured = capfd.readouterr()
    assert captured.err == "error: the setting x is wrong.\n  Set it to y.\n"
    assert captured.out == ""


def test_a_full_disk_is_one_block_and_verbose_shows_where(monkeypatch, capfd):
    def fails(_):
        raise OSError(28, "No space left on device", "/cache/image")

    monkeypatch.setattr(cli, "_dispatch", fails)
    monkeypatch.delenv("VERBOSE", raising=False)
    assert cli.main(["up"]) == 1
    said = capfd.readouterr().err
    assert "No space left on device: '/cache/image'" in said
    assert "Traceback" not in said
    monkeypatch.setenv("VERBOSE", "1")
    assert cli.main(["up"]) == 1
    assert "Traceback" in capfd.readouterr().err


def test_an_interrupted_command_ends_with_130_and_no_traceback(monkeypatch, capfd):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_dispatch", interrupted)
    assert cli.main(["up"]) == 130
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["upp"], ["up", "--instance", "two"]])
def test_wrong_arguments_end_with_2(arguments, capfd):
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize("command", ["up", "preview", "test", "bench"])
def test_what_follows_two_dashes_is_passed_on_as_it_is(monkeypatch, command):
    seen = []
    monkeypatch.setattr(cli, "_dispatch", lambda options: seen.append(options.rest) or 0)
    assert cli.main([command, "--", "-k", "x", "--diff"]) == 0
    assert cli.main([command, "--"]) == 0
    assert seen == [["-k", "x", "--diff"], []]


def test_a_bad_stack_name_is_refused_before_anything_else(capfd):
    assert cli.main(["up", "--stack", "../x"]) == 1
    assert "STACK=../x" in capfd.readouterr().err


def test_a_step_is_one_line_with_its_name_text_and_time(capfd):
    with announce.step("engine", "build it") as step:
        step.progress("half")
        step.done("built it")
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].split() == ["engine", "built", "it", lines[0].split()[-1]]
    assert lines[0].endswith("s")


def test_a_skipped_step_prints_nothing_unless_asked(capfd, monkeypatch):
    monkeypatch.delenv("VERBOSE", raising=False)
    with announce.step("engine", "build it") as step:
        step.skip("it is there")
    assert capfd.readouterr().err == ""
    monkeypatch.setenv("VERBOSE", "1")
    with announce.step("engine", "build it") as step:
        step.skip("it is there")
    assert "it is there" in capfd.readouterr().err


def test_a_failed_step_says_so_and_passes_the_error_on(capfd):
    with pytest.raises(ToolchainError), announce.step("engine", "build it"):
        announce.fail("no")
    assert "build it: failed" in capfd.readouterr().err


def test_progress_in_a_log_is_a_line_now_and_then(capfd, monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(announce.time, "monotonic", lambda: next(clock))
    with announce.step("engine", "build it") as step:
        for part in range(6):
            step.progress(f"part {part}")
    lines = [line for line in capfd.readouterr().err.splitlines() if "part" in line]
    assert [line.split("part ")[1][0] for line in lines] == ["1", "3", "5"]


@pytest.mark.parametrize(("seconds", "text"), [(0.04, "0.0s"), (9.9, "9.9s"), (9.96, "10s"), (59.6, "1m00s"), (238, "3m58s")])
def test_times_are_written_for_people(seconds, text):
    assert announce.duration(seconds) == text


CHILD = """
import signal, sys, time
count = 0
def again(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, again)
print("ready", flush=True)
end = time.monotonic() + 60
while not count and time.monotonic() < end:
    time.sleep(0.02)
time.sleep(1)   # longer than subprocess.run would wait before it kills
print("interrupted", count, flush=True)
sys.exit(7)
"""


@pytest.mark.parametrize("whom", ["the command", "its whole group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_reaches_the_child_once_and_it_is_waited_for(number, whom):
    code = f"""
import os, sys
from pathlib import Path
from toolchain import child
sys.exit(child.run([sys.executable, "-c", {CHILD!r}], cwd=Path("."), env=os.environ))
"""
    process = run_python(code, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout.readline() == "ready\n"
    (os.kill if whom == "the command" else os.killpg)(process.pid, number)
    rest, _ = process.communicate(timeout=60)
    assert (rest, process.returncode) == ("interrupted 1\n", 130)


def test_ctrl_c_on_a_terminal_reaches_the_child_once():
    import pty

    main, terminal = pty.openpty()
    code = f"""
import fcntl, os, sys, termios
from pathlib import Path
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from toolchain import child
sys.exit(child.run([sys.executable, "-c", {CHILD!r}], cwd=Path("."), env=os.environ))
"""
    process = run_python(code, stdin=terminal, stdout=subprocess.PIPE, start_new_session=True)
    os.close(terminal)
    try:
        assert process.stdout.readline() == "ready\n"
        os.write(main, b"\x03")
        rest, _ = process.communicate(timeout=60)
    finally:
        os.close(main)
    assert (rest, process.returncode) == ("interrupted 1\n", 130)


def test_a_child_that_ends_well_in_spite_of_an_interruption_is_well():
    code = """
import os, signal, sys, threading
from pathlib import Path
from toolchain import child
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
sys.exit(child.run(["sh", "-c", "trap : INT; sleep 1; exit 0"], cwd=Path("."), env=os.environ))
"""
    assert run_python(code, stdin=subprocess.DEVNULL).wait(timeout=60) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_that_comes_while_the_child_is_started_is_passed_on(monkeypatch, number):
    start = child.subprocess.Popen

    def interrupted_start(*arguments, **options):
        os.kill(os.getpid(), number)
        return start(*arguments, **options)

    monkeypatch.setattr(child.subprocess, "Popen", interrupted_start)
    code = child.run([sys.executable, "-c", "import time; time.sleep(30)"], cwd=ROOT, env=os.environ)
    assert code == child.INTERRUPTED


def test_an_interrupted_set_up_ends_the_program_it_runs_with_its_children():
    code = """
from toolchain.setup.system import run
run(["sh", "-c", "sleep 600 & echo $$; wait"], "sleeping", on_line=lambda line: print(line, flush=True))
"""
    process = run_python(code, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    group = int(process.stdout.readline())
    os.killpg(group, 0)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("the program still runs")


def test_a_program_that_takes_too_long_can_end_in_good_order(tmp_path):
    ended = tmp_path / "ended"
    script = f"import pathlib, time\ntry: time.sleep(600)\nexcept KeyboardInterrupt: pathlib.Path({str(ended)!r}).touch()"
    with pytest.raises(ToolchainError, match="stopped after 2 s"):
        system.run([sys.executable, "-c", script], "sleeping", seconds=2)
    assert ended.exists()


def test_a_program_that_will_not_be_interrupted_is_killed(monkeypatch):
    monkeypatch.setattr(system, "_GRACE_SECONDS", 0.2)
    with pytest.raises(ToolchainError, match="stopped after 0 s"):
        system.run(["sh", "-c", "trap '' INT TERM; while :; do sleep 1; done"], "sleeping", seconds=0.3)


def test_apt_never_removes_a_package_and_waits_for_another_apt(machine):
    machine.program(
        "apt-get",
        f'echo "$@" >> {machine.home}/calls; [ "$1" = update ] || [ -e {machine.home}/updated ] && exit 0;'
        f" touch {machine.home}/updated; exit 1",
    )
    system.apt_install(["a", "b"], "for a test")
    first, update, second = (machine.home / "calls").read_text().splitlines()
    assert first == second
    assert "--no-remove" in first.split()
    assert first.split()[-2:] == ["a", "b"]
    assert update.split()[0] == "update"
    assert "-o DPkg::Lock::Timeout=60" in first


@pytest.fixture
def clone(machine, monkeypatch):
    """A clone with a virtual environment that tells how its Python was called."""
    monkeypatch.setattr(bootstrap, "ROOT", machine.root)
    (machine.root / "requirements.txt").write_text("a==1\n")
    (machine.root / "requirements-dev.txt").write_text("a==1\nb==2\n")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(machine.root)
    called = []

    def execv(program, arguments):
        called.append(arguments)
        raise SystemExit(0)

    monkeypatch.setattr(bootstrap.os, "execv", execv)
    return machine, called


def test_a_current_environment_is_used_without_installing_anything(clone, monkeypatch):
    machine, called = clone
    machine.program("python", "exit 1", machine.root / ".venv/bin")
    (machine.root / ".venv/.installed-requirements.txt").write_text(bootstrap.stamp_value("requirements.txt") + "\n")
    monkeypatch.setattr(bootstrap.subprocess, "Popen", None)
    with pytest.raises(SystemExit):
        bootstrap.main(["up", "--stack", "dev"])
    assert called == [[str(machine.root / ".venv/bin/python"), "-m", "toolchain", "up", "--stack", "dev"]]


@pytest.mark.parametrize(("dev", "file"), [(False, "requirements.txt"), (True, "requirements-dev.txt")])
def test_a_changed_requirements_file_is_installed_with_its_hashes_and_only_once(clone, dev, file):
    machine, called = clone
    machine.program("python", f'echo "$@" >> {machine.home}/calls', machine.root / ".venv/bin")
    (machine.root / f".venv/.installed-{file}").write_text("an older hash\n")
    arguments = ["--dev", "up"] if dev else ["up"]
    for _ in range(2):
        with pytest.raises(SystemExit):
            bootstrap.main(arguments)
    installs = [line for line in (machine.home / "calls").read_text().splitlines() if "pip install" in line]
    assert len(installs) == 1
    assert "--require-hashes" in installs[0]
    assert installs[0].endswith(f"-r {machine.root / file}")
    assert called[0] == [str(machine.root / ".venv/bin/python"), "-m", "toolchain", "up"]


def test_what_the_tests_need_is_enough_for_the_program(clone, monkeypatch):
    machine, called = clone
    machine.program("python", "exit 1", machine.root / ".venv/bin")
    stamp = bootstrap.stamp_value("requirements-dev.txt")
    (machine.root / ".venv/.installed-requirements-dev.txt").write_text(stamp)
    with pytest.raises(SystemExit):
        bootstrap.main(["up"])
    assert len(called) == 1


def test_a_failed_install_shows_pips_last_lines_and_is_not_taken_as_done(clone):
    machine, called = clone
    machine.program("python", '[ "$2" = pip ] && echo "no route to host" && exit 1; exit 0', machine.root / ".venv/bin")
    for _ in range(2):
        with pytest.raises(SystemExit, match=r"(?s)packages of requirements.txt could not be installed.*no route to host"):
            bootstrap.main(["up"])
    assert called == []


def test_a_python_without_venv_is_told_which_package_it_needs(clone, monkeypatch):
    machine, _ = clone
    broken = machine.program("python3", "echo 'ensurepip is not available'; exit 1")
    monkeypatch.setattr(bootstrap.sys, "executable", str(broken))
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match=r"(?s)ensurepip is not available.*apt-get install python3-venv"):
        bootstrap.main(["up"])


def test_as_root_on_debian_the_missing_venv_package_is_installed(clone, monkeypatch):
    machine, called = clone
    made = machine.home / "venv-package"
    broken = machine.program(
        "python3",
        f"""[ -e {made} ] || exit 1
cd {machine.root} && mkdir -p .venv/bin && printf '#!/bin/sh\\n' > .venv/bin/python && chmod 755 .venv/bin/python""",
    )
    machine.program("apt-get", f'[ "$1" = install ] && touch {made}; exit 0')
    monkeypatch.setattr(bootstrap.sys, "executable", str(broken))
    monkeypatch.setattr(bootstrap.os, "geteuid", lambda: 0)
    with pytest.raises(SystemExit):
        bootstrap.main(["up"])
    assert len(called) == 1


def test_an_old_python_is_told_which_one_is_needed(clone, monkeypatch):
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setattr(bootstrap.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"Python 3\.11 or newer is needed"):
        bootstrap.main(["up"])


def test_a_newer_python_on_path_is_taken_instead_of_an_old_one(clone, monkeypatch):
    machine, called = clone
    newer = machine.program("python3.13", "")
    monkeypatch.setattr(bootstrap.sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setenv("PATH", str(machine.bin))
    with pytest.raises(SystemExit):
        bootstrap.main(["--dev", "up"])
    assert called == [[str(newer), str(Path(bootstrap.__file__).resolve()), "--dev", "up"]]


def test_make_alone_lists_every_target():
    output = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    makefile = (ROOT / "Makefile").read_text()
    phony = next(line for line in makefile.splitlines() if line.startswith(".PHONY:"))
    for target in phony.split()[2:]:
        assert f"make {target} " in output


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["up", "INSTANCE=2"], 'up --stack "dev" --instance "2" --'),
        (["up", "CONFIRM=prod", "STACK=prod"], 'up --stack "prod" --confirm "prod" --'),
        (["status", "SHOW_SECRETS=1", "STACK=kpi"], 'status --stack "kpi" --show-secrets'),
        (["status", "SHOW_SECRETS=0"], 'status --stack "dev"'),
        (["purge", "CONFIRM=dev"], 'purge --stack "dev" --confirm "dev"'),
        (["preview", "ARGS=--diff"], 'preview --stack "dev" -- --diff'),
        (["preview", "FORMAT=markdown", "COMMIT=abc"], 'preview --stack "dev" --format "markdown" --commit "abc" --'),
        (["env", "FORMAT=vercel", "FOR=web"], 'env --stack "dev" --format "vercel" -- web'),
        (["status", "FORMAT=json"], 'status --stack "dev" --format "json"'),
        (["check-env", "FILE=a.env", "FOR=nextjs"], 'check-env --stack "dev" -- "FILE=a.env" "FOR=nextjs"'),
        (["env-example", "FOR=kpi", "STACK=kpi"], 'env-example --stack "kpi" -- "FOR=kpi"'),
        (["graph", "FILE=a.svg"], 'graph --stack "dev" -- a.svg'),
        (["test", "ARGS=-k x"], "--dev test -- -k x"),
        (["lock", "ARGS=--upgrade"], "lock -- --upgrade"),
    ],
)
def test_the_makefile_passes_its_variables_on(arguments, command):
    unset = (
        "STACK",
        "INSTANCE",
        "CONFIRM",
        "SHOW_SECRETS",
        "ARGS",
        "COMMIT",
        "FORMAT",
        "FILE",
        "FOR",
        "MAKEFLAGS",
        "MAKELEVEL",
        "MFLAGS",
        "MAKEOVERRIDES",
    )
    env = {k: v for k, v in os.environ.items() if k not in unset}
    output = subprocess.run(["make", "-n", *arguments], cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    assert shlex.split(output) == ["python3", "toolchain/bootstrap.py", *shlex.split(command)]
