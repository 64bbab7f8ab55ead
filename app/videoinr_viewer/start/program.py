"""Builds and runs the program: log, crash hook, window, and the unattended modes (screenshot, bench)."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import platformdirs
from PySide6.QtGui import QFontDatabase, QIcon
from PySide6.QtWidgets import QApplication

from videoinr.playing.cache import PlayCache
from videoinr.render.renderer import Renderer
from videoinr_resources import path as resource_path
from videoinr_viewer.clip_access.clip_frames import open_clip_frames
from videoinr_viewer.clip_access.fall_back import open_as_remembered
from videoinr_viewer.clip_access.reading import Reading, ReadingChoice
from videoinr_viewer.clip_access.second_model import MEMORY_BYTES, OpenModel
from videoinr_viewer.clip_access.side_reader import FrameSource
from videoinr_viewer.dialogs.errors import CrashReport
from videoinr_viewer.export.bridge import COMMAND
from videoinr_viewer.main_window import WindowOptions
from videoinr_viewer.picture.start_view import StartView
from videoinr_viewer.playing.store import open_play_cache
from videoinr_viewer.start.arguments import Arguments
from videoinr_viewer.start.crash import CrashHook
from videoinr_viewer.start.end_signals import EndSignals
from videoinr_viewer.start.logs import LOG_FILE, Log
from videoinr_viewer.start.preload import load_torch
from videoinr_viewer.start.run_marker import RunMarker
from videoinr_viewer.start.screenshot import Screenshot
from videoinr_viewer.start.settings import Settings
from videoinr_viewer.start.settings_writer import SettingsWriter
from videoinr_viewer.style.language import system_language, use_language
from videoinr_viewer.threads.uncollected import uncollected
from videoinr_viewer.viewer import DEFAULT_SIZE, Viewer

log = logging.getLogger(__name__)

APP_NAME = "videoinr-viewer"
ALIASES = {"Monospace", "Sans Serif", "Serif"}
"""Qt lists these families even where there is no font for them."""
NO_FONTS = (
    "No fonts are installed, so the window shows no text. "
    "On Debian and Ubuntu: apt-get install fonts-dejavu-core"
)  # fmt: skip
OpenRenderer = Callable[[Path], Renderer]
LOCK_PATIENCE_SECS = 0.0005
"""How long a thread waits for Python's lock before the holder must release it. A paint takes the lock about six times;
with Python's default of 5 ms it came 30 ms late during the import of the engine."""


def engine_opener(reading: ReadingChoice, *, at_once: bool = False) -> OpenRenderer:
    """Return a function that opens clips with the real engine, as ``reading`` says at that time.

    The import of the engine is slow. With ``at_once`` it starts now, on a thread of its own; otherwise with the first
    clip. Starting it now is better before the window is visible: while torch's core starts, Python stops for 30 ms.
    """
    engine = ThreadPoolExecutor(1, "videoinr-import").submit(_import_engine) if at_once else None

    def open_renderer(path: Path) -> Renderer:
        open_engine = _import_engine() if engine is None else engine.result()

        def attempt(now: Reading, notices: tuple[str, ...]) -> Renderer:
            return open_engine(
                path, model=now.model, device=now.device, options=now.options(), across_cuts=now.across_cuts,
                memory_bytes=reading.memory_bytes, notices=notices, notice=reading.tell,
            )  # fmt: skip

        return open_as_remembered(reading, attempt)

    return open_renderer


def model_opener(reading: ReadingChoice) -> OpenModel:
    """Return a function that opens a clip as ``reading`` says, but with another model, within a budget of its own."""

    def open_model(path: Path, model: str) -> Renderer:
        now, told = reading.current, list[str]()

        def tell(words: str) -> None:
            told.append(words)
            reading.tell(words)

        try:
            return _import_engine()(
                path, model=model, device=now.device, options=now.options(), across_cuts=now.across_cuts,
                memory_bytes=MEMORY_BYTES, notice=tell,
            )  # fmt: skip
        finally:
            if told:
                reading.tell("")  # It is done.

    return open_model


def _import_engine() -> Callable[..., Renderer]:
    # Imported here: the start of the program does without the readers.
    from videoinr.isolation.helpers import HELPERS, is_on

    if is_on():
        # It is ready to open the clip by the time that torch is imported.
        HELPERS.warm_up()
    load_torch()
    with uncollected("videoinr.render.engine"):
        from videoinr.render.engine import open_engine
    return open_engine


def run_for_user(arguments: Arguments) -> int:
    """:func:`run` with the real engine and the user's own folders."""
    sys.setswitchinterval(LOCK_PATIENCE_SECS)
    reading = ReadingChoice(Reading(arguments.model, arguments.device))
    return run(
        arguments,
        open_renderer=engine_opener(reading, at_once=arguments.file is not None),
        open_frames=lambda path: open_clip_frames(path, reading.current.options()),
        open_model=model_opener(reading),
        reading=reading,
        settings_path=Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)) / "viewer.toml",
        log_folder=Path(platformdirs.user_log_dir(APP_NAME, appauthor=False)),
        unsaved_folder=Path(platformdirs.user_state_dir(APP_NAME, appauthor=False)) / "unsaved",
        queue_folder=Path(platformdirs.user_state_dir(APP_NAME, appauthor=False)) / "queue",
        play=open_play_cache(Path(platformdirs.user_cache_dir(APP_NAME, appauthor=False)) / "play"),
    )


def run(
    arguments: Arguments,
    *,
    open_renderer: OpenRenderer,
    settings_path: Path,
    log_folder: Path,
    unsaved_folder: Path | None = None,
    queue_folder: Path | None = None,
    export_command: Sequence[str] = COMMAND,
    open_frames: Callable[[Path], FrameSource] = open_clip_frames,
    open_model: OpenModel | None = None,
    reading: ReadingChoice | None = None,
    play: PlayCache | None = None,
) -> int:
    """Show the window until it is closed and everything has ended; return the exit code of the process."""
    app = make_app()
    if set(QFontDatabase.families()) <= ALIASES:
        _print_error(NO_FONTS)
    settings = Settings.load(settings_path)
    writer = SettingsWriter(settings, settings_path)
    # Nobody's eye has to follow, and a bench measures what answers a notch.
    settings.reduced_motion = settings.reduced_motion or arguments.is_unattended
    use_language(app, arguments.language or settings.language or system_language())
    hook = CrashHook()
    kept_log = Log(log_folder, on_qt_error=hook.crashed.emit)
    kept_log.start()
    hook.install()
    marker = RunMarker(log_folder)
    # Before the run is marked: a signal while the window is built would leave the mark of a crash.
    signals = EndSignals(clean_up=marker.end)
    signals.install()
    # While the window is built, no dialog can report an error.
    printing = hook.crashed.connect(_print_error)
    reading = reading or ReadingChoice(Reading(arguments.model, arguments.device))
    apply_settings(settings, reading)
    window_options = WindowOptions(
        reading, log_folder,
        None if arguments.is_unattended else unsaved_folder, None if arguments.is_unattended else queue_folder,
        asks=not arguments.is_unattended,
        ended_unexpectedly=not arguments.is_unattended and marker.begin(),
    )  # fmt: skip
    try:
        with _printed_if_it_fails(log_folder):
            viewer = Viewer(
                app, open_renderer, settings=settings, theme=arguments.theme, export_command=export_command,
                open_frames=open_frames, play=play, open_model=open_model,
                options=window_options,
                save_settings=None if arguments.is_unattended else writer.save,
            )  # fmt: skip
            _show(viewer, arguments, hook, log_folder)
        hook.crashed.disconnect(printing)
        signals.wait_in_loop()
        for end in (signals.remove, viewer.shut_down):
            app.aboutToQuit.connect(end)
        try:
            return app.exec()
        finally:
            signals.remove()
            viewer.shut_down()
            writer.close()
            marker.end()
    except _NotBuiltError:
        signals.remove()
        marker.end()
        return 1
    finally:
        hook.remove()
        kept_log.stop()


def apply_settings(settings: Settings, reading: ReadingChoice) -> None:
    """Let ``reading`` have the device and the memory of ``settings``; what the command line says comes first."""
    reading.memory_bytes = settings.memory_mib << 20 or None
    if reading.current.device is None and settings.device is not None:
        reading.choose(replace(reading.current, device=settings.device), is_remembered=True)
        reading.prove()


class _NotBuiltError(Exception):
    """The window could not be built; the reason was printed."""


@contextmanager
def _printed_if_it_fails(log_folder: Path) -> Iterator[None]:
    """Log and print any error, and raise :class:`_NotBuiltError` in its place."""
    try:
        yield
    except Exception as error:
        log.critical("the window could not be built", exc_info=error)
        _print_error(f"The window could not be built. {type(error).__name__}: {error}")
        _print_error(f"Details are in {log_folder / LOG_FILE}.")
        raise _NotBuiltError from error


def _print_error(message: str) -> None:
    print(f"{APP_NAME}: {message}", file=sys.stderr)


def _show(viewer: Viewer, arguments: Arguments, hook: CrashHook, log_folder: Path) -> None:
    """Show the window and open the clip of the command line."""
    viewer.show(_attend(viewer, arguments, hook, log_folder))
    if arguments.file is not None:
        viewer.window.projects.open_file(arguments.file, StartView(arguments.at, arguments.zoom, arguments.centre))


def _attend(viewer: Viewer, arguments: Arguments, hook: CrashHook, log_folder: Path) -> tuple[int, int] | None:
    """Connect the receiver of crashes: dialog, screenshot or bench. Return the window's size, if one is set."""
    if arguments.screenshot is not None and arguments.screenshot.is_dir():
        # Imported here: few ask for it.
        from videoinr_viewer.start.gallery import Gallery

        gallery = Gallery(viewer, arguments.screenshot, has_clip=arguments.file is not None)
        hook.crashed.connect(gallery.fail_with)
    elif arguments.screenshot is not None:
        screenshot = Screenshot(
            viewer, arguments.screenshot, waits_for_clip=arguments.file is not None, actions=arguments.actions
        )
        hook.crashed.connect(screenshot.fail_with)
    elif arguments.bench is not None:
        from videoinr_viewer.bench.run import SIZE, BenchRun

        bench = BenchRun(viewer, arguments.bench)
        hook.crashed.connect(bench.fail_with)
        return arguments.size or SIZE
    else:
        report = CrashReport(viewer.window, log_folder / LOG_FILE)
        hook.crashed.connect(report.show)
        return arguments.size
    return arguments.size or DEFAULT_SIZE


def make_app() -> QApplication:
    """Return the application object, with the name and the icon that desktops show."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        app = QApplication([APP_NAME])
    app.setApplicationName(APP_NAME)
    app.setApplicationDisplayName("VideoINR Viewer")
    app.setDesktopFileName(APP_NAME)
    app.setWindowIcon(_icon())
    return app


def _icon() -> QIcon:
    try:
        return QIcon(str(resource_path("icons/videoinr-viewer.svg")))
    except FileNotFoundError:
        return QIcon()
