"""The table of actions: everything that a menu or a key does. A row has an id, menu, text, shortcuts and intent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QWidget

from videoinr_viewer.action_row import Menu, Row, Targets
from videoinr_viewer.inspection.flow_overlay import FlowView
from videoinr_viewer.inspection.inspections import BLEND, UNSURE
from videoinr_viewer.journey.rows import ROWS
from videoinr_viewer.picture.comparing import Compare, Reference
from videoinr_viewer.style.language import tr

_SIXTEENTH = Fraction(1, 16)
_ZOOMS = (1, 2, 4, 8, 16, 32)


def _zoom_to(zoom: int) -> Callable[[Targets], object]:
    return lambda t: t.session.zoom_to(zoom)


def _compare(mode: Compare) -> Callable[[Targets], object]:
    return lambda t: t.modes.set_compare(mode)


def _flow(view: FlowView) -> Callable[[Targets], object]:
    return lambda t: t.inspections.set_flow(view)


def _against(reference: Reference) -> Callable[[Targets], object]:
    return lambda t: t.modes.set_reference(reference)


_MODES = (
    ("off", "&Off", Compare.OFF),
    ("wipe", "&Wipe", Compare.WIPE),
    ("side-by-side", "&Side by side", Compare.SIDE_BY_SIDE),
    ("difference", "&Difference", Compare.DIFFERENCE),
    ("blink", "&Blink", Compare.BLINK),
)
_REFERENCES = (
    ("pixels", "Against the source, pixel by &pixel", Reference.NEAREST),
    ("bicubic", "Against the source, b&icubic", Reference.BICUBIC),
    ("blend", "Ag&ainst a blend of both frames", Reference.BLEND),
)
_FLOWS = (
    ("off", "N&o motion", FlowView.OFF),
    ("colours", "Motion as &colours", FlowView.COLOURS),
    ("arrows", "Motion as &arrows", FlowView.ARROWS),
)


_RATES = (24, 30, 48, 60)


def _show_rate(rate: int | None) -> Callable[[Targets], object]:
    return lambda t: t.play.set_rate(None if rate is None else Fraction(rate))


TABLE: tuple[Row, ...] = (
    Row("open", Menu.FILE, "&Open…", ("Ctrl+O",), lambda t: t.files.open_clip(), needs_clip=False),
    Row(
        "open-folder", Menu.FILE, "Open &folder…", ("Ctrl+Shift+O",), lambda t: t.files.open_folder(),
        needs_clip=False,
    ),
    Row("save-project", Menu.FILE, "Save the pro&ject", ("Ctrl+S",), lambda t: t.projects.save()),
    Row("save-project-as", Menu.FILE, "Save the project &as…", ("Ctrl+Shift+S",), lambda t: t.projects.save_as()),
    Row("export", Menu.FILE, "&Export…", ("Ctrl+E",), lambda t: t.exports.show()),
    Row(
        "export-queue", Menu.FILE, "Export q&ueue…", ("Ctrl+Shift+E",), lambda t: t.exports.queue.show(),
        needs_clip=False,
    ),
    Row("clip-window", Menu.FILE, "Clip &information…", ("Ctrl+I",), lambda t: t.side_windows.show_clip()),
    Row("save-picture", Menu.FILE, "&Save picture…", ("S",), lambda t: t.files.save_picture()),
    Row("copy-picture", Menu.FILE, "&Copy picture", ("Ctrl+C",), lambda t: t.taker.copy()),
    Row(
        "burn-in", Menu.FILE, "&Write below pictures what they are", ("Shift+S",),
        lambda t: t.taker.toggle_burn_in(), needs_clip=False, checkable=True, group_ends=True,
    ),
    Row("quit", Menu.FILE, "&Quit", ("Ctrl+Q",), lambda t: t.window.close(), needs_clip=False),
    Row("undo", Menu.EDIT, "&Undo", ("Ctrl+Z",), lambda t: t.history.undo(), by_history=True),
    Row(
        "redo", Menu.EDIT, "&Redo", ("Ctrl+Shift+Z", "Ctrl+Y"), lambda t: t.history.redo(), by_history=True,
        group_ends=True,
    ),
    Row(
        "change-shortcuts", Menu.EDIT, "&Change shortcuts…", ("Ctrl+Shift+K",), lambda t: t.help.show_shortcuts(),
        needs_clip=False,
    ),
    Row("settings", Menu.EDIT, "&Settings…", ("Ctrl+,",), lambda t: t.settings_page.show(), needs_clip=False),
    Row("play", Menu.PLAYBACK, "&Play or pause", ("Space",), lambda t: t.player.toggle(), group_ends=True),
    Row("shuttle-back", Menu.PLAYBACK, "Play &backwards (press again: faster)", ("J",), lambda t: t.player.shuttle(-1)),
    Row("pause", Menu.PLAYBACK, "Pa&use", ("K",), lambda t: t.player.pause()),
    Row(
        "shuttle-on", Menu.PLAYBACK, "Play &forwards (press again: faster)", ("L",), lambda t: t.player.shuttle(1),
        group_ends=True,
    ),
    Row("slower", Menu.PLAYBACK, "&Slower", ("[",), lambda t: t.player.change_speed(-1)),
    Row("faster", Menu.PLAYBACK, "Fas&ter", ("]",), lambda t: t.player.change_speed(1), group_ends=True),
    Row(
        "loop", Menu.PLAYBACK, "&Loop", ("Shift+L",), lambda t: t.player.set_loops(not t.player.loops),
        needs_clip=False, checkable=True, group_ends=True,
    ),
    Row(
        "render-ahead", Menu.PLAYBACK, "&Decode ahead for playback", ("Shift+P",),
        lambda t: t.play.set_renders_ahead(not t.play.renders_ahead), needs_clip=False, checkable=True, checked=True,
    ),
    Row(
        "rate-of-clip", Menu.PLAYBACK, "As many pictures a second as the &clip, at least 24", ("Alt+5",),
        _show_rate(None), needs_clip=False, checkable=True, checked=True, choice="rate",
    ),
    *(
        Row(
            f"rate-{rate}", Menu.PLAYBACK, f"{rate} pictures a second", (f"Alt+{index}",), _show_rate(rate),
            needs_clip=False, checkable=True, choice="rate", group_ends=rate == _RATES[-1],
        )
        for index, rate in enumerate(_RATES, 6)
    ),
    Row(
        "mute", Menu.PLAYBACK, "&Mute", ("Shift+M",), lambda t: t.sound.toggle_mute(), needs_clip=False,
        checkable=True,
    ),
    Row("louder", Menu.PLAYBACK, "Louder", ("Ctrl+PgUp",), lambda t: t.sound.change_volume(1), needs_clip=False),
    Row("quieter", Menu.PLAYBACK, "Quieter", ("Ctrl+PgDown",), lambda t: t.sound.change_volume(-1), needs_clip=False),
    Row("previous-frame", Menu.GO, "&Previous source frame", ("Left",), lambda t: t.session.step_source_frame(-1)),
    Row(
        "next-frame", Menu.GO, "&Next source frame", ("Right",), lambda t: t.session.step_source_frame(1),
        group_ends=True,
    ),
    Row("sixteenth-back", Menu.GO, "1/16 frame back", ("Alt+Left",), lambda t: t.session.step_phase(-_SIXTEENTH)),
    Row("sixteenth-on", Menu.GO, "1/16 frame forward", ("Alt+Right",), lambda t: t.session.step_phase(_SIXTEENTH)),
    Row("frame-back", Menu.GO, "1 frame back, same phase", (",",), lambda t: t.session.step_phase(Fraction(-1))),
    Row("frame-on", Menu.GO, "1 frame forward, same phase", (".",), lambda t: t.session.step_phase(Fraction(1))),
    Row("second-back", Menu.GO, "1 second back", ("Shift+Left",), lambda t: t.session.step_secs(Fraction(-1))),
    Row(
        "second-on", Menu.GO, "1 second forward", ("Shift+Right",), lambda t: t.session.step_secs(Fraction(1)),
        group_ends=True,
    ),
    Row("start", Menu.GO, "First frame", ("Home",), lambda t: t.session.go_to_start()),
    Row("end", Menu.GO, "Last frame", ("End",), lambda t: t.session.go_to_end()),
    Row("go-to-time", Menu.GO, "&Go to time…", ("G",), lambda t: t.time_field.begin(), group_ends=True),
    Row(
        "view-back", Menu.GO, "&Back to the last view", ("Backspace",), lambda t: t.views.back(),
        by_history=True,
    ),
    Row(
        "view-forward", Menu.GO, "&Forward to the next view", ("Shift+Backspace",),
        lambda t: t.views.forward(), by_history=True,
    ),
    Row("mark-in", Menu.MARKS, "Mark &in", ("I",), lambda t: t.session.mark_in()),
    Row("mark-out", Menu.MARKS, "Mark &out", ("O",), lambda t: t.session.mark_out(), group_ends=True),
    Row("go-to-in", Menu.MARKS, "Go to in mark", ("Shift+I",), lambda t: t.session.go_to_in()),
    Row("go-to-out", Menu.MARKS, "Go to out mark", ("Shift+O",), lambda t: t.session.go_to_out(), group_ends=True),
    Row(
        "clear-marks", Menu.MARKS, "&Clear marks", ("Alt+X",), lambda t: t.session.clear_marks(), group_ends=True,
    ),
    Row("add-segment", Menu.MARKS, "&Add the marked segment", ("Return",), lambda t: t.annotations.add_segment()),
    Row("split-segment", Menu.MARKS, "&Split the segment here", ("B",), lambda t: t.annotations.split_segment()),
    Row(
        "remove-segment", Menu.MARKS, "&Remove the segment here", ("Del",), lambda t: t.annotations.remove_segment(),
        group_ends=True,
    ),
    Row("bookmark", Menu.MARKS, "Set or remove a &bookmark", ("M",), lambda t: t.annotations.toggle_bookmark()),
    Row("next-bookmark", Menu.MARKS, "&Next bookmark", ("Shift+Down",), lambda t: t.annotations.go_to_bookmark(1)),
    Row(
        "previous-bookmark", Menu.MARKS, "&Previous bookmark", ("Shift+Up",),
        lambda t: t.annotations.go_to_bookmark(-1),
    ),
    Row(
        "annotations", Menu.MARKS, "Se&gments and bookmarks…", ("Ctrl+B",),
        lambda t: t.side_windows.show_annotations(), group_ends=True,
    ),
    Row("next-cut", Menu.MARKS, "Next c&ut", ("Ctrl+Down",), lambda t: t.timeline.go_to_cut(1)),
    Row(
        "previous-cut", Menu.MARKS, "Previous cu&t", ("Ctrl+Up",), lambda t: t.timeline.go_to_cut(-1),
    ),
    Row(
        "cut-here", Menu.MARKS, "A cut &here, or none", ("Shift+X",), lambda t: t.cut_editor.toggle(), group_ends=True,
    ),
    Row("timeline-in", Menu.MARKS, "&Magnify the timeline", ("Alt+Up",), lambda t: t.timeline.overview.zoom(2)),
    Row("timeline-out", Menu.MARKS, "Re&duce the timeline", ("Alt+Down",), lambda t: t.timeline.overview.zoom(0.5)),
    Row("timeline-whole", Menu.MARKS, "The &whole clip", ("Alt+Home",), lambda t: t.timeline.overview.show_whole()),
    Row("fit", Menu.VIEW, "&Fit to window", ("F", "0"), lambda t: t.session.fit()),
    *(
        Row(
            f"zoom-{zoom}00", Menu.VIEW, f"{zoom}00%", (str(index),), _zoom_to(zoom), group_ends=zoom == _ZOOMS[-1],
        )
        for index, zoom in enumerate(_ZOOMS, 1)
    ),
    Row("zoom-in", Menu.VIEW, "Zoom &in", ("+", "="), lambda t: t.session.zoom_by(2**0.5)),
    Row("zoom-out", Menu.VIEW, "Zoom &out", ("-",), lambda t: t.session.zoom_by(2**-0.5), group_ends=True),
    Row(
        "pixel-values", Menu.VIEW, "&Pixel values", ("P",), lambda t: t.modes.toggle_values(), needs_clip=False,
        checkable=True, checked=True,
    ),
    Row(
        "minimap", Menu.VIEW, "&Minimap", ("N",), lambda t: t.modes.toggle_minimap(), needs_clip=False,
        checkable=True, checked=True,
    ),
    Row(
        "pixel-grid", Menu.VIEW, "&Grid of source pixels (from 800%)", ("Shift+G",), lambda t: t.modes.toggle_grid(),
        needs_clip=False, checkable=True,
    ),
    Row(
        "checkerboard", Menu.VIEW, "Checkerboard &around the picture", ("Shift+B",),
        lambda t: t.modes.toggle_checkerboard(), needs_clip=False, checkable=True, group_ends=True,
    ),
    Row("full-screen", Menu.VIEW, "F&ull screen", ("F11",), lambda t: t.modes.toggle_full_screen(), needs_clip=False),
    Row("next-control", Menu.VIEW, "Next control", ("F6",), lambda t: t.focus.move(1), needs_clip=False),
    Row(
        "previous-control", Menu.VIEW, "Previous control", ("Shift+F6",), lambda t: t.focus.move(-1),
        needs_clip=False,
    ),
    Row("leave", Menu.VIEW, "Leave full screen or comparison", ("Esc",), lambda t: t.modes.leave(), needs_clip=False),
    Row("compare", Menu.COMPARE, "&Next comparison", ("C",), lambda t: t.modes.next_compare(), group_ends=True),
    *(
        Row(
            f"compare-{name}", Menu.COMPARE, text, (f"Ctrl+{index}",), _compare(mode), checkable=True, choice="mode",
            checked=mode is Compare.OFF, group_ends=mode is Compare.BLINK,
        )
        for index, (name, text, mode) in enumerate(_MODES)
    ),
    Row(
        "wipe-follows", Menu.COMPARE, "Wipe &follows the mouse", ("W",), lambda t: t.modes.toggle_wipe_follows(),
        checkable=True, choice="mode",
    ),
    Row("wipe-left", Menu.COMPARE, "Wipe to the &left", ("Ctrl+Left",), lambda t: t.modes.move_wipe(-1)),
    Row("wipe-right", Menu.COMPARE, "Wipe to the &right", ("Ctrl+Right",), lambda t: t.modes.move_wipe(1)),
    Row("gain-up", Menu.COMPARE, "Difference: &more gain", ("Ctrl+]",), lambda t: t.modes.change_gain(1)),
    Row(
        "gain-down", Menu.COMPARE, "Difference: l&ess gain", ("Ctrl+[",), lambda t: t.modes.change_gain(-1),
        group_ends=True,
    ),
    *(
        Row(
            f"against-{name}", Menu.COMPARE, text, (f"Ctrl+Shift+{index}",), _against(reference), checkable=True,
            choice="reference", checked=reference is Reference.NEAREST,
        )
        for index, (name, text, reference) in enumerate(_REFERENCES, 1)
    ),
    Row(
        "against-file", Menu.COMPARE, "Against a file, at e&xact times…", ("Ctrl+Shift+4",),
        lambda t: t.modes.set_reference_file(t.files.choose_reference()), checkable=True, choice="reference",
    ),
    Row(
        "against-model", Menu.COMPARE, "A&gainst another model", ("Ctrl+Shift+5",),
        lambda t: t.modes.compare_with_model(), checkable=True, choice="reference",
    ),
    Row("flow", Menu.INSPECT, "&Next view of the motion", ("V",), lambda t: t.inspections.next_flow(), group_ends=True),
    *(
        Row(
            f"flow-{name}", Menu.INSPECT, text, (f"Alt+{index}",), _flow(view), checkable=True, choice="flow",
            checked=view is FlowView.OFF,
        )
        for index, (name, text, view) in enumerate(_FLOWS)
    ),
    Row(
        "flow-later", Menu.INSPECT, "To the &later frame (off: to the earlier one)", ("Shift+V",),
        lambda t: t.inspections.switch_direction(), checkable=True, checked=True, group_ends=True,
    ),
    Row(
        "trajectory", Menu.INSPECT, "&Trajectory of a clicked point", ("T",),
        lambda t: t.inspections.toggle_trajectory(), checkable=True,
    ),
    Row(
        "unsure", Menu.INSPECT, "Where the motion is &unsure", ("U",), lambda t: t.inspections.toggle_doubt(),
        checkable=True, tip=UNSURE,
    ),
    Row(
        "blend-mask", Menu.INSPECT, "Which frame is &blended in", ("A",), lambda t: t.inspections.toggle_blend(),
        checkable=True, tip=BLEND, group_ends=True,
    ),
    Row(
        "slice", Menu.INSPECT, "&x-t slice along a line that you draw", ("X",), lambda t: t.slicing.toggle(),
        checkable=True,
    ),
    *ROWS,
    Row("palette", Menu.HELP, "&Find a command…", ("Ctrl+K",), lambda t: t.commands.show(), needs_clip=False),
    Row("manual", Menu.HELP, "&Manual", ("F1",), lambda t: t.help.show_manual(), needs_clip=False),
    Row("keys", Menu.HELP, "&Keyboard shortcuts", ("?",), lambda t: t.help.show_keys(), needs_clip=False),
    Row("open-demo", Menu.HELP, "Try the &demo", ("Ctrl+D",), lambda t: t.files.open_demo(), needs_clip=False),
    Row(
        "copy-report", Menu.HELP, "&Copy a report for the developers", ("Ctrl+Shift+C",),
        lambda t: t.help.report.start(), needs_clip=False,
    ),
    Row("log", Menu.HELP, "Open the &log folder", ("Ctrl+L",), lambda t: t.help.show_log(), needs_clip=False),
)  # fmt: skip


def build_actions(targets: Targets, parent: QWidget) -> dict[str, QAction]:
    """Return a QAction for each row of :data:`TABLE`, by id. Their shortcuts work in the whole window of ``parent``."""
    actions, choices = {}, dict[str, QActionGroup]()
    for row in TABLE:
        action = QAction(tr(row.text), parent, checkable=row.checkable, enabled=not row.needs_clip)
        action.setChecked(row.checked)
        if row.choice:
            if row.choice not in choices:
                choices[row.choice] = QActionGroup(parent)
            choices[row.choice].addAction(action)
        action.setObjectName(row.id)
        action.setShortcuts([QKeySequence(key) for key in row.keys])
        action.triggered.connect(lambda _checked=False, row=row: row.intent(targets))
        action.setToolTip(_tool_tip(row))
        parent.addAction(action)
        actions[row.id] = action
    return actions


def enable_actions(actions: Mapping[str, QAction], *, has_clip: bool) -> None:
    """Enable the actions that need a clip if there is one, and disable them otherwise."""
    for row in TABLE:
        if row.needs_clip and not row.by_history:
            actions[row.id].setEnabled(has_clip)


def _tool_tip(row: Row) -> str:
    text = tr(row.text).replace("&", "").rstrip("…")
    named = f"{text} ({row.keys[0]})" if row.keys else text
    return f"{named}\n{tr(row.tip)}" if row.tip else named
