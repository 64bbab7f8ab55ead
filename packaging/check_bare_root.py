"""Use the frozen program, or the wheel, on a bare root of Debian that holds nothing but what the program asks for.

    python packaging/check_bare_root.py bookworm --frozen dist/frozen/videoinr [--kept build/roots]
    python packaging/check_bare_root.py bookworm --wheel dist/*.whl --packages FOLDER
    python packaging/check_bare_root.py trixie --wheel dist/*.whl --packages FOLDER --python ~/.pyenv/versions/3.11.7

debootstrap makes the root from this machine's mirror. The program is started without the libraries of windows first:
it must name the missing packages, exactly those are installed then, and the window must open without a screen and on
Xvfb. A wheel brings none of its dependencies: FOLDER is the site-packages of an environment that has them, made by the
same version of Python as the root's, or as that of --python, which the root gets to read. It needs root, debootstrap,
unshare and Xvfb, and prints start times; it ends with the first thing that is wrong. --kept FOLDER keeps the fresh root
of a release as an archive, for the next time.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

RUN_SECS = 300
SETUP_SECS = 550
_PRIVATE = "VIDEOINR_BARE_ROOT_IS_PRIVATE"
NAMED = re.compile(r"Qt needs system libraries that are missing: .* apt-get install ([a-z0-9.+\- ]+)")
_ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive",
}  # fmt: skip
PNG = b"\x89PNG"
PYTHON_NEEDS = ("libffi8", "libssl3", "libbz2-1.0", "liblzma5", "zlib1g", "libsqlite3-0")
"""What a Python that was built on Debian loads; its own packages of these are no part of it."""


@dataclass(frozen=True)
class Root:
    """A bare root. Commands run in it with nothing of this machine's environment."""

    folder: Path

    def run(self, *command: str, succeeds: bool = True, environment: Mapping[str, str] | None = None) -> str:
        """Return what ``command`` prints; end the check if its exit code is not as expected."""
        words = ["chroot", str(self.folder), *map(str, command)]
        done = subprocess.run(
            words, env={**_ENVIRONMENT, **(environment or {})}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=RUN_SECS, check=False,
        )  # fmt: skip
        if (done.returncode == 0) is not succeeds:
            raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}")
        return done.stdout

    def timed(self, what: str, *command: str, environment: Mapping[str, str] | None = None) -> str:
        """Run ``command``, and print how long it took."""
        start = time.monotonic()
        printed = self.run(*command, environment=environment)
        print(f"  {what}: {time.monotonic() - start:.1f} s", flush=True)
        return printed

    def install(self, *packages: str) -> None:
        """Install packages of Debian."""
        self.run("apt-get", "install", "-y", "--no-install-recommends", *packages)

    def read(self, path: str) -> bytes:
        """Return the contents of a file of the root."""
        return (self.folder / path.lstrip("/")).read_bytes()


def mirror() -> str:
    """Return the address of this machine's mirror of Debian, as apt knows it."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.split()
    found = next((one for one in listed if one.rstrip("/").endswith("/debian")), None)
    if found is None:
        raise SystemExit("apt knows no mirror of Debian here.")
    return found


def make_root(release: str, folder: str, kept: Path | None) -> None:
    """Fill ``folder`` with a fresh root of ``release``, from ``kept`` if it has one."""
    archive = None if kept is None else kept / f"{release}.tar"
    if archive is not None and archive.exists():
        subprocess.run(["tar", "-C", folder, "-xpf", archive], check=True, timeout=SETUP_SECS)
        return
    command = ["debootstrap", "--variant=minbase", release, folder, mirror()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SETUP_SECS, check=False)
    if done.returncode:
        raise SystemExit(f"debootstrap failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    if archive is not None:
        archive.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["tar", "-C", folder, "-cpf", archive, "."], check=True, timeout=SETUP_SECS)


@contextlib.contextmanager
def bare_root(release: str, kept: Path | None) -> Iterator[Root]:
    """Make a root of ``release`` with its processes and devices in sight; it is removed at the end."""
    with tempfile.TemporaryDirectory(prefix="videoinr-root-", ignore_cleanup_errors=True) as folder:
        make_root(release, folder, kept)
        mount("-t", "proc", "proc", f"{folder}/proc")
        mount("--bind", "/dev", f"{folder}/dev")
        try:
            yield Root(Path(folder))
        finally:
            subprocess.run(["umount", "--recursive", "--lazy", f"{folder}/dev", f"{folder}/proc"], check=False)
            # Nothing that is still mounted here is removed.
            subprocess.run(["rm", "-rf", "--one-file-system", folder], check=False)


def mount(*words: str) -> None:
    """Mount for this process alone: :func:`in_private` was called before."""
    subprocess.run(["mount", *words], check=True, timeout=60)


def in_private() -> None:
    """Begin anew where mounts are seen by this process and its children alone, and end with it."""
    if os.environ.get(_PRIVATE) != "1":
        os.environ[_PRIVATE] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, *sys.argv])


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """Start Xvfb on this machine, and yield the display's name. Programs in a root reach it as any local program."""
    reader, writer = os.pipe()
    command = ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, pass_fds=[writer], stderr=subprocess.DEVNULL)
    os.close(writer)
    try:
        with os.fdopen(reader) as told:
            yield f":{int(told.readline())}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def check_window(root: Root, viewer: str, demo: str) -> None:
    """Check that the window names what it lacks, and opens the demo clip once that is installed."""
    shot = [viewer, demo, "--at", "0.54", "--screenshot"]
    install_what_is_named(root, *shot, "/root/plain.png")
    root.install("fonts-dejavu-core")
    root.timed("a picture of the window, without a screen", *shot, "/root/plain.png")
    with screen() as display:
        on_screen = {"DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}
        install_what_is_named(root, *shot, "/root/x11.png", environment=on_screen)
        root.timed("a picture of the window, on Xvfb", *shot, "/root/x11.png", environment=on_screen)
        root.timed("the same again", *shot, "/root/x11.png", environment=on_screen)
    for name in ("plain", "x11"):
        if root.read(f"/root/{name}.png")[:4] != PNG:
            raise SystemExit(f"{name}.png is no picture.")


def install_what_is_named(root: Root, *command: str, environment: Mapping[str, str] | None = None) -> None:
    """Run a command that must fail for missing libraries, and install the packages that it names."""
    printed = root.run(*command, succeeds=False, environment=environment)
    named = NAMED.search(printed)
    if named is None:
        raise SystemExit(f"The window does not say what it lacks:\n{printed}")
    print(f"  it asks for: {named[1]}", flush=True)
    root.install(*named[1].split())


def check_commands(root: Root, command: str, demo: str) -> None:
    """Check that the command line exports the demo clip, and reads what it wrote."""
    root.timed("videoinr --version", command, "--version")
    root.timed("videoinr --version, again", command, "--version")
    export = ["export", demo, "/root/out.mp4", "--start", "0.5", "--end", "0.75", "--fps", "24", "--scale", "2"]
    root.timed("an export of 6 frames at twice the size", command, *export)
    if "640" not in root.run(command, "probe", "/root/out.mp4"):
        raise SystemExit("What was exported cannot be probed.")
    report = root.run(command, "doctor", "--report")
    print(
        f"  {next((line.strip() for line in report.splitlines() if 'tile code' in line), 'no tile code?')}", flush=True
    )


def check_frozen(root: Root, frozen: Path) -> None:
    """Check a frozen program in ``root``, which has no Python."""
    subprocess.run(["cp", "-a", "--reflink=auto", str(frozen), f"{root.folder}/opt/videoinr"], check=True)
    if any((root.folder / "usr" / "bin").glob("python3*")):
        raise SystemExit("The root has a Python.")
    demo = "/opt/videoinr/_internal/videoinr_resources/demo/demo.mp4"
    check_commands(root, "/opt/videoinr/videoinr", demo)
    check_window(root, "/opt/videoinr/videoinr-viewer", demo)


@contextlib.contextmanager
def lent(root: Root, folder: Path, place: str) -> Iterator[None]:
    """Let ``root`` read a folder of this machine at ``place``."""
    inside = root.folder / place.lstrip("/")
    inside.mkdir(parents=True)
    mount("--bind", "-o", "ro", str(folder), str(inside))
    try:
        yield
    finally:
        subprocess.run(["umount", str(inside)], check=True)


def check_wheel(root: Root, wheel: Path, packages: Path, python_folder: Path | None) -> None:
    """Check a wheel in ``root`` with the dependencies in ``packages``.

    ``python_folder``: an installed Python of this machine, which does its part at its own path; None: the root's own.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(lent(root, packages, "/opt/packages"))
        if python_folder is None:
            root.install("python3-venv")
        else:
            stack.enter_context(lent(root, python_folder, str(python_folder)))
            root.install(*PYTHON_NEEDS)
        subprocess.run(["cp", str(wheel), f"{root.folder}/opt/{wheel.name}"], check=True)
        found = "python3" if python_folder is None else f"{python_folder}/bin/python3"
        root.run(found, "-m", "venv", "/opt/venv")
        python = "/opt/venv/bin/python"
        root.run(python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", f"/opt/{wheel.name}")
        site = root.run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
        (root.folder / site.lstrip("/") / "dependencies.pth").write_text("/opt/packages\n")
        print(f"  {root.run(python, '--version').strip()}")
        find = "import videoinr_resources as found; print(found.path('demo/demo.mp4'))"
        demo = root.run(python, "-c", find).strip()
        check_commands(root, "/opt/venv/bin/videoinr", demo)
        check_window(root, "/opt/venv/bin/videoinr-viewer", demo)


def main() -> None:
    """Make the root and check what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("release", help="bookworm (Debian 12), trixie (Debian 13), ...")
    parser.add_argument("--frozen", type=Path, help="the folder that make frozen wrote")
    parser.add_argument("--wheel", type=Path, help="the wheel that make wheel wrote")
    parser.add_argument("--packages", type=Path, help="the folder of the wheel's dependencies")
    parser.add_argument("--python", type=Path, help="the folder of a Python, if the root's own is of another version")
    parser.add_argument("--kept", type=Path, help="a folder for archives of fresh roots")
    options = parser.parse_args()
    if (options.frozen is None) is (options.wheel is None) or (options.wheel is None) is not (options.packages is None):
        parser.error("give --frozen, or --wheel and --packages")
    if os.geteuid() != 0:
        parser.error("only root can make a root of Debian")
    in_private()
    with bare_root(options.release, options.kept) as root:
        print(f"{options.release}, {'the frozen program' if options.frozen else options.wheel.name}:", flush=True)
        if options.frozen:
            check_frozen(root, options.frozen.resolve())
        else:
            check_wheel(root, options.wheel.resolve(), options.packages.resolve(), options.python)
    print(f"{options.release}: it works.")


if __name__ == "__main__":
    main()
