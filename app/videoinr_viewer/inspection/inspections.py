"""Turns the views of the representation on and off, asks the render thread for them, and shows its answers."""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtCore import QObject, Signal, Slot

from videoinr.render.inquiry import BlendInquiry, DoubtInquiry, FlowInquiry, Inquiry, TrajectoryInquiry, flow_query
from videoinr.render.inspected import Between, BlendMask, Doubt, FlowField, Trajectory
from videoinr.render.messages import Opened
from videoinr.types import Instant, PairKind, RenderRequest, ViewState
from videoinr_viewer.inspection.blend_overlay import BlendOverlay
from videoinr_viewer.inspection.doubt_overlay import MOST_LEVELS, DoubtOverlay
from videoinr_viewer.inspection.flow_overlay import FlowOverlay, FlowView
from videoinr_viewer.inspection.legend import Key, Legend, Part
from videoinr_viewer.inspection.trajectory_overlay import TrajectoryOverlay
from videoinr_viewer.picture.frame_view import FrameView
from videoinr_viewer.session import Session
from videoinr_viewer.style.language import decimal, tr
from videoinr_viewer.style.text import format_factor

UNSURE = (
    "An estimate for the middle of the pair. Its rank correlation (Spearman) with the true error, within pictures of "
    "ten held-out clips: 0.72 on average, 0.38 at worst."
)
"""From tests/benchmarks/NOTES.md, "Where motion fails"."""
BLEND = (
    "The picture is a mixture of both frames, each warped along the motion. The colours say which of them has the "
    "larger share at each place."
)
_CYCLE = (FlowView.OFF, FlowView.COLOURS, FlowView.ARROWS)


class Inspections(QObject):
    """The views of the representation in ``frame_view``, of the clip that ``session`` has open."""

    asked = Signal(object)
    """Inquiry: a question to the render thread; it replaces one of its kind."""
    withdrawn = Signal(object)
    """type[Inquiry]: nobody waits for answers of this kind any more."""
    changed = Signal()
    """Another view was turned on or off."""

    def __init__(self, session: Session, frame_view: FrameView, parent: QObject) -> None:
        super().__init__(parent)
        self._session, self._frame_view = session, frame_view
        self.flow, self.doubt = FlowOverlay(frame_view.item), DoubtOverlay(frame_view.item)
        self.blend, self.trajectory = BlendOverlay(frame_view.item), TrajectoryOverlay()
        self.legend = Legend(frame_view)
        self.follows_point = False
        self._asked: dict[type[Inquiry], Inquiry] = {}
        for layer in (self.flow, self.doubt, self.blend, self.trajectory):
            frame_view.add_layer(layer)
        session.opened.connect(self._open)
        session.open_wanted.connect(self._forget_questions)
        session.requested.connect(self._follow)
        session.view_changed.connect(self._look)
        session.shutter_changed.connect(self._refresh)
        frame_view.screen_changed.connect(self._refresh)

    # ---- what is shown ----

    def next_flow(self) -> None:
        """Go to the next view of the motion: none, colours, arrows."""
        self.set_flow(_CYCLE[(_CYCLE.index(self.flow.view) + 1) % len(_CYCLE)])

    def set_flow(self, view: FlowView) -> None:
        """Show the motion so, or not at all."""
        self.flow.view = view
        if view is FlowView.OFF:
            self._withdraw(FlowInquiry)
        else:
            self._ask_flow()
        self._change()

    def switch_direction(self) -> None:
        """Show the motion to the other frame: the earlier or the later one. Without motion, it is turned on."""
        self.flow.to_later = not self.flow.to_later
        if self.flow.view is FlowView.OFF:
            self.set_flow(FlowView.COLOURS)
        self._change()

    def toggle_trajectory(self) -> None:
        """Follow the points that the user clicks, first the one in the middle of the view; or follow none."""
        if self.follows_point:
            self._leave_trajectory()
        else:
            self.follows_point = True
            self._frame_view.set_tool(self)
            self.press(self._session.view.centre)
        self._change()

    def toggle_doubt(self) -> None:
        """Show where the motion is doubtful, or not."""
        self.doubt.is_on = not self.doubt.is_on
        if self.doubt.is_on:
            self._ask_doubt()
        else:
            self._withdraw(DoubtInquiry)
        self._change()

    def toggle_blend(self) -> None:
        """Show with which weights both warped frames are mixed, or not."""
        self.blend.is_on = not self.blend.is_on
        if self.blend.is_on:
            self._ask_blend()
        else:
            self._withdraw(BlendInquiry)
        self._change()

    @Slot()
    def leave(self) -> None:
        """Turn the mouse's tool off."""
        if self.follows_point:
            self._leave_trajectory()
            self._change()

    @property
    def is_complete(self) -> bool:
        """Whether all that is turned on shows the instant and the part of the picture in view."""
        wants_flow, wants_doubt = self.flow.view is not FlowView.OFF, self.doubt.is_on
        if self._session.clip is None:
            return True
        way = self.trajectory.trajectory
        has_way = way is not None and self._asked.get(TrajectoryInquiry) == TrajectoryInquiry(way.instant, way.place)
        return (
            (not wants_flow or self._is_answered(FlowInquiry, self.flow.field))
            and (not wants_doubt or self.doubt.is_fresh)
            and (not self.blend.is_on or self._is_answered(BlendInquiry, self.blend.mask))
            and (not self.follows_point or has_way)
        )

    def _is_answered(self, kind: type[FlowInquiry] | type[BlendInquiry], answer: FlowField | BlendMask | None) -> bool:
        # What is there of the same instant may be of another part of the picture, from before a zoom.
        return answer is not None and self._asked.get(kind) == kind(answer.query)

    # ---- the mouse, as a MouseTool ----

    def press(self, place: tuple[float, float]) -> None:
        """Follow the point at ``place``, from the instant in view."""
        instant, clip = self._instant(), self._session.clip
        if instant is None or clip is None:
            return
        x, y = (
            min(max(at, 0.0), float(side)) for at, side in zip(place, (clip.info.width, clip.info.height), strict=True)
        )
        self._ask(TrajectoryInquiry(instant, (x, y)))

    def drag(self, place: tuple[float, float]) -> None:
        """Follow the point under the mouse."""
        self.press(place)

    def release(self, place: tuple[float, float]) -> None:
        """Keep the last point."""

    def lose(self) -> None:
        """Follow no point: another tool has the mouse."""
        self._forget_point()
        self._change()

    # ---- questions and answers ----

    @Slot(object)
    def take(self, answer: object) -> None:
        """Show an answer of the render thread."""
        if isinstance(answer, FlowField) and self.flow.view is not FlowView.OFF:
            self.flow.set_field(answer)
        elif isinstance(answer, Doubt) and self.doubt.is_on:
            self.doubt.set_doubt(answer)
        elif isinstance(answer, BlendMask) and self.blend.is_on:
            self.blend.set_mask(answer)
        elif isinstance(answer, Trajectory) and self.follows_point:
            self.trajectory.trajectory = answer
        else:
            return
        self._refresh()

    @Slot(object)
    def _open(self, _opened: Opened) -> None:
        self._asked.clear()
        self.flow.set_field(None)
        self.doubt.set_doubt(None)
        self.blend.set_mask(None)
        self.trajectory.trajectory = None
        self._refresh()

    @Slot(object)
    def _follow(self, request: RenderRequest) -> None:
        if self.flow.view is not FlowView.OFF:
            self._ask_flow()
        if self.doubt.is_on:
            self._ask_doubt()
        if self.blend.is_on:
            self._ask_blend()
        if self.follows_point and TrajectoryInquiry not in self._asked:
            self.press(self._session.view.centre)

    @Slot(object)
    def _look(self, _view: ViewState) -> None:
        self._refresh()

    def _ask_flow(self) -> None:
        query, clip = self._session.last_query, self._session.clip
        if query is not None and clip is not None:
            self._ask(FlowInquiry(flow_query(query, clip.info.grid)))

    def _ask_doubt(self) -> None:
        if (instant := self._instant()) is not None:
            # One question for all instants that are decoded from the same frames: across a cut, half a pair.
            self._ask(DoubtInquiry(Instant(instant.pair, Fraction(int(2 * instant.phase), 2))))

    def _ask_blend(self) -> None:
        query, clip = self._session.last_query, self._session.clip
        if query is not None and clip is not None:
            self._ask(BlendInquiry(flow_query(query, clip.info.grid)))

    @Slot()
    def _forget_questions(self) -> None:
        """Another clip is being opened: the render thread drops all questions, and answers none until then."""
        self._asked.clear()

    def _ask(self, inquiry: Inquiry) -> None:
        if self._session.last_query is None:
            return  # A clip is being opened: what is asked about the one before would be answered by the new one.
        if self._asked.get(type(inquiry)) != inquiry:
            self._asked[type(inquiry)] = inquiry
            self.asked.emit(inquiry)

    def _withdraw(self, kind: type[Inquiry]) -> None:
        self._asked.pop(kind, None)
        self.withdrawn.emit(kind)

    def _leave_trajectory(self) -> None:
        self._frame_view.set_tool(None)
        self._forget_point()

    def _forget_point(self) -> None:
        self.follows_point, self.trajectory.trajectory = False, None
        self._withdraw(TrajectoryInquiry)

    # ---- the view ----

    def _change(self) -> None:
        self._refresh()
        self.changed.emit()

    @Slot()
    def _refresh(self) -> None:
        instant, field, way = self._instant(), self.flow.field, self.trajectory.trajectory
        self.flow.is_fresh = field is not None and field.query.instant == instant
        mask = self.blend.mask
        self.blend.is_fresh = mask is not None and mask.query.instant == instant
        doubt, asked = self.doubt.doubt, self._asked.get(DoubtInquiry)
        self.doubt.is_fresh = doubt is not None and DoubtInquiry(doubt.instant) == asked
        self.trajectory.phase = None if way is None else self._phase_between(way.between)
        self.legend.show_parts(() if instant is None else tuple(self._parts()))
        self._frame_view.item.update()

    def _parts(self) -> list[Part]:
        parts = []
        if self.flow.view is not FlowView.OFF:
            key = Key.WHEEL if self.flow.view is FlowView.COLOURS else Key.NOTHING
            parts.append(Part(key, tuple(self._flow_lines())))
        if self.doubt.is_on:
            parts.append(Part(Key.BAR, tuple(self._doubt_lines())))
        if self.blend.is_on:
            parts.append(Part(Key.SHARES, tuple(self._blend_lines())))
        if self.follows_point:
            parts.append(Part(Key.NOTHING, tuple(self._trajectory_lines())))
        if parts and self._session.shutter.readout is not None:
            parts.append(Part(Key.NOTHING, (tr("Overlays: rolling shutter not corrected"),)))
        return parts

    def _flow_lines(self) -> list[str]:
        field = self.flow.field
        if field is None:
            return [tr("Motion: being computed…")]
        frame = field.between.second if self.flow.to_later else field.between.first
        lines = [tr("Motion to frame {number}", number=frame)]
        if self.flow.view is FlowView.COLOURS:
            lines.append(tr("full colour: {length} px", length=decimal(f"{self.flow.scale_px:g}")))
        else:
            zoom, ratio = self._session.drawn_view.zoom, self._frame_view.devicePixelRatioF()
            magnified = self.flow.magnified_at(zoom, ratio)
            factor = format_factor(magnified)
            lines.append(tr("true length") if magnified == 1 else tr("length {factor}", factor=factor))
        return lines + _cut_lines(field.kind)

    def _doubt_lines(self) -> list[str]:
        doubt = self.doubt.doubt
        if doubt is None:
            return [tr("Unsure: being computed…")]
        between = doubt.between
        lines = [
            tr("Unsure, between frames {first} and {second}", first=between.first, second=between.second),
            tr("full colour: an error of {levels} levels is expected", levels=MOST_LEVELS),
        ]
        return lines + _cut_lines(doubt.kind)

    def _blend_lines(self) -> list[str]:
        mask = self.blend.mask
        if mask is None:
            return [tr("Blend: being computed…")]
        if mask.first_share is None:
            return [tr("Blend: this model mixes no frames")]
        share = round(100 * float(mask.first_share.mean()))
        return [
            tr("Blend: blue is frame {first}, orange frame {second}", first=mask.between.first,
               second=mask.between.second),
            tr("clear: half of each; here {percent}% of frame {first}", percent=share, first=mask.between.first),
            *_cut_lines(mask.kind),
        ]  # fmt: skip

    def _trajectory_lines(self) -> list[str]:
        way = self.trajectory.trajectory
        if way is None:
            return [tr("Trajectory: being computed…")]
        between = way.between
        (x0, y0), (x1, y1) = way.places[0], way.places[-1]
        length = decimal(f"{((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5:.2f}")
        return [
            tr("Trajectory, frames {first} to {second}", first=between.first, second=between.second),
            tr("{length} px in a straight line; click another point", length=length),
        ]

    def _instant(self) -> Instant | None:
        clip = self._session.clip
        return None if clip is None else clip.timeline.instant_from_time(self._session.view.time_secs)

    def _phase_between(self, between: Between) -> Fraction | None:
        clip = self._session.clip
        if clip is None or between.second <= between.first or between.second > clip.timeline.last_frame:
            return None
        start, end = (clip.timeline.frame_time(frame) for frame in (between.first, between.second))
        phase = (self._session.view.time_secs - start) / (end - start)
        return phase if 0 <= phase <= 1 else None


def _cut_lines(kind: PairKind) -> list[str]:
    return [tr("across a cut: the nearer scene")] if kind is PairKind.CUT else []
