"""``videoinr-viewer``: arguments, log, crash hook, and the composition root."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import platformdirs
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from videoinr.render_loop import Renderer
from videoinr_resources import path as resource_path
from videoinr_viewer.arguments import Arguments, parse
from videoinr_viewer.crash import CrashHook
from videoinr_viewer.dialogs.errors import CrashReport
from videoinr_viewer.export_bridge import COMMAND
from videoinr_viewer.logs import start_log, stop_log
from videoinr_viewer.screenshot import Screenshot
from videoinr_viewer.session import StartView
from videoinr_viewer.settings import Settings
from videoinr_viewer.viewer import Viewer

APP_NAME = "videoinr-viewer"
OpenRenderer = Callable[[Path], Renderer]


def engine_opener(*, model: str | None, device: str | None) -> OpenRenderer:
    """Opens clips with the real engine. Its import is heavy, so it waits for the render thread."""

    def open_renderer(path: Path) -> Renderer:
        from videoinr.engine import open_engine

        return open_engine(path, model=model, device=device)

    return open_renderer


def run(
    arguments: Arguments,
    *,
    open_renderer: OpenRenderer,
    settings_path: Path,
    log_folder: Path,
    export_command: Sequence[str] = COMMAND,
) -> int:
    """Show the window until it is closed; the process's exit code. Everything it started has ended by then."""
    app = make_app()
    log_handler, hook = start_log(log_folder), CrashHook()
    hook.install()
    settings = Settings.load(settings_path)
    viewer = Viewer(app, open_renderer, settings=settings, theme=arguments.theme, export_command=export_command)
    shell = viewer.window.shell
    shell.model, shell.device, shell.log_folder = arguments.model, arguments.device, log_folder
    shell.asks = arguments.screenshot is None
    if arguments.screenshot is None:
        report = CrashReport(viewer.window, log_folder / "viewer.log")
        hook.crashed.connect(report.show)
    else:
        screenshot = Screenshot(viewer, arguments.screenshot, waits_for_clip=arguments.file is not None)
        hook.crashed.connect(screenshot.fail_with)
    app.aboutToQuit.connect(viewer.shut_down)
    viewer.show(arguments.size)
    if arguments.file is not None:
        viewer.session.open(arguments.file, StartView(arguments.at_secs, arguments.zoom, arguments.centre))
    try:
        return app.exec()
    finally:
        viewer.shut_down()
        if arguments.screenshot is None:
            settings.save(settings_path)
        hook.remove()
        stop_log(log_handler)


def make_app() -> QApplication:
    """The application object, with the names and the icon that desktops show."""
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


def has_screen(environment: Mapping[str, str], platform: str) -> bool:
    """Whether Qt will find a screen; without one it would end the process without a word that helps."""
    names = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    return platform in ("win32", "darwin") or any(environment.get(name) for name in names)


def main(argv: Sequence[str] | None = None) -> int:
    """The entry point."""
    arguments = parse(argv)
    if not has_screen(os.environ, sys.platform):
        if arguments.screenshot is None:
            print("videoinr-viewer: There is no screen to show a window on. Set DISPLAY, or use --screenshot.",
                  file=sys.stderr)  # fmt: skip
            return 1
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    return run(
        arguments,
        open_renderer=engine_opener(model=arguments.model, device=arguments.device),
        settings_path=Path(platformdirs.user_config_dir(APP_NAME, appauthor=False)) / "viewer.ini",
        log_folder=Path(platformdirs.user_log_dir(APP_NAME, appauthor=False)),
    )


if __name__ == "__main__":
    sys.exit(main())
