"""No file calls what only POSIX has, unless it asks first; read from the source, as no other system is at hand."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.uncounted

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(file for root in ("app", "core", "resources") for file in (ROOT / root).rglob("*.py"))
POSIX = {
    "os": {
        "O_CLOEXEC",
        "O_DIRECTORY",
        "O_NOFOLLOW",
        "O_NONBLOCK",
        "O_SYNC",
        "chown",
        "chroot",
        "fchmod",
        "fchown",
        "fdatasync",
        "fork",
        "forkpty",
        "getegid",
        "geteuid",
        "getgid",
        "getgroups",
        "getloadavg",
        "getpgid",
        "getpgrp",
        "getpriority",
        "getuid",
        "killpg",
        "lchown",
        "mkfifo",
        "mknod",
        "nice",
        "openpty",
        "posix_fadvise",
        "posix_fallocate",
        "posix_spawn",
        "pread",
        "preadv",
        "pwrite",
        "pwritev",
        "register_at_fork",
        "sched_getaffinity",
        "sched_setaffinity",
        "sendfile",
        "setgid",
        "setpgid",
        "setpriority",
        "setsid",
        "setuid",
        "statvfs",
        "sync",
        "sysconf",
        "uname",
        "wait",
        "wait3",
        "wait4",
    },
    "signal": {
        "ITIMER_REAL",
        "SIGALRM",
        "SIGBUS",
        "SIGCHLD",
        "SIGCONT",
        "SIGHUP",
        "SIGKILL",
        "SIGPIPE",
        "SIGQUIT",
        "SIGSTOP",
        "SIGTSTP",
        "SIGUSR1",
        "SIGUSR2",
        "alarm",
        "pause",
        "pthread_kill",
        "pthread_sigmask",
        "setitimer",
        "siginterrupt",
        "sigpending",
        "sigwait",
    },
    "socket": {"AF_UNIX"},
    "time": {"clock_gettime", "tzset"},
}
MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
QUESTIONS = ("hasattr", "platform", "name")
"""hasattr(os, ...), sys.platform or platform.system(), os.name: what a guard asks."""
GUARDED_ELSEWHERE = {
    ("app/videoinr_viewer/bench/machine.py", "os.sysconf"): "after a file of /proc was read",
    ("core/videoinr/writing/claims.py", "os.O_NOFOLLOW"): "after fcntl is None has returned",
    ("core/videoinr/writing/claims.py", "os.O_NONBLOCK"): "after fcntl is None has returned",
    ("core/videoinr/writing/claims.py", "os.O_CLOEXEC"): "after fcntl is None has returned",
    ("core/videoinr/writing/partial_file.py", "os.posix_fallocate"): "only if _can_allocate, which asks hasattr",
}


def posix_uses(source: str) -> Iterator[tuple[str, int]]:
    """Yield what only POSIX has, as written, with its line, where no guard stands before it."""
    yield from _unguarded(ast.parse(source))


def _unguarded(node: ast.AST) -> Iterator[tuple[str, int]]:
    if (name := _posix_name(node)) is not None:
        yield name, getattr(node, "lineno", 0)
    if isinstance(node, ast.If | ast.IfExp | ast.While) and _asks(node.test):
        return
    if isinstance(node, ast.BoolOp) and _asks(node.values[0]):
        return
    if isinstance(node, ast.Try) and any(_catches_missing(handler) for handler in node.handlers):
        return
    if isinstance(node, ast.With) and any(_suppresses_missing(item.context_expr) for item in node.items):
        return
    for field in ast.iter_fields(node):
        children = field[1] if isinstance(field[1], list) else [field[1]]
        for child in children:
            if isinstance(child, ast.AST):
                yield from _unguarded(child)
            if isinstance(child, ast.If) and _asks(child.test) and _leaves(child):
                break  # What follows an early return is guarded by it.


def _posix_name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}" if node.attr in POSIX.get(node.value.id, ()) else None
    if isinstance(node, ast.Import):
        return next((one.name for one in node.names if one.name in MODULES), None)
    if isinstance(node, ast.ImportFrom):
        module = node.module or ""
        named = [f"{module}.{one.name}" for one in node.names if one.name in POSIX.get(module, ())]
        return module if module in MODULES else next(iter(named), None)
    return None


def _asks(test: ast.expr) -> bool:
    names = {getattr(one, "attr", getattr(one, "id", "")) for one in ast.walk(test)}
    return not names.isdisjoint(QUESTIONS)


def _catches_missing(handler: ast.ExceptHandler) -> bool:
    caught = {getattr(one, "id", "") for one in ast.walk(handler.type)} if handler.type else set()
    return not caught.isdisjoint({"ImportError", "AttributeError"})


def _suppresses_missing(manager: ast.expr) -> bool:
    names = {getattr(one, "attr", getattr(one, "id", "")) for one in ast.walk(manager)}
    return {"suppress", "AttributeError"} <= names


def _leaves(node: ast.If) -> bool:
    return isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue)


def test_the_search_finds_what_is_not_guarded() -> None:
    assert list(posix_uses("import os\nos.fork()")) == [("os.fork", 2)]
    assert list(posix_uses("import fcntl")) == [("fcntl", 1)]
    assert list(posix_uses("from signal import SIGHUP")) == [("signal.SIGHUP", 1)]
    assert list(posix_uses("def f():\n    if x: return\n    os.getuid()")) == [("os.getuid", 3)]


@pytest.mark.parametrize(
    "source",
    [
        "if sys.platform != 'win32':\n    os.fork()",
        "def f():\n    if os.name == 'nt':\n        return 1\n    import resource",
        "x = os.getuid() if hasattr(os, 'getuid') else 0",
        "y = hasattr(os, 'getuid') and os.getuid()",
        "try:\n    import fcntl\nexcept ImportError:\n    fcntl = None",
        "getattr(os, 'O_NOFOLLOW', 0)",
        "with suppress(AttributeError, OSError):\n    os.nice(5)",
    ],
)
def test_the_search_sees_a_guard(source: str) -> None:
    assert list(posix_uses(source)) == []


def test_nothing_of_posix_is_used_without_asking() -> None:
    found = {
        (file.relative_to(ROOT).as_posix(), name): line
        for file in FILES
        for name, line in posix_uses(file.read_text("utf-8"))
    }
    unasked = {where: line for where, line in found.items() if where not in GUARDED_ELSEWHERE}
    assert unasked == {}
    assert GUARDED_ELSEWHERE.keys() <= found.keys(), "an exception that is no longer needed"


def test_files_are_named_so_that_every_system_can_hold_them() -> None:
    bad = set('<>:"\\|?*')
    kept = [path for root in ("app", "core", "resources", "packaging") for path in (ROOT / root).rglob("*")]
    assert [path for path in kept if bad & set(path.name) or path.name.endswith((".", " "))] == []
    lower = [path.relative_to(ROOT).as_posix().lower() for path in kept if "__pycache__" not in path.parts]
    assert len(lower) == len(set(lower)), "two names that differ in case alone"
