"""Journey: the retime curve, the shutter and the camera path of a clip. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from videoinr.journey.camera import CameraPath
from videoinr.journey.curve import RetimeCurve
from videoinr.journey.shutter_region import ShutterRegion


@dataclass(frozen=True)
class Journey:
    """How an export goes through the clip.

    ``shutter``: degrees; 360 is the time from one frame to the next. ``readout``: the seconds in which the camera read
    a frame, if its rolling shutter is corrected; negative: from the last row. ``shutter_region``: a region that has
    another shutter.
    """

    curve: RetimeCurve | None = None
    shutter: Fraction = Fraction(0)
    camera: CameraPath | None = None
    readout: Fraction = Fraction(0)
    shutter_region: ShutterRegion | None = None

    def within(self, duration_secs: Fraction) -> Journey:
        """Return what lies in a clip of ``duration_secs``."""
        curve, camera = self.curve, self.camera
        if curve is not None and curve.extent.end_secs > duration_secs:
            curve = None
        if camera is not None:
            inside = tuple(one for one in camera.keyframes if one.time_secs <= duration_secs)
            camera = CameraPath(inside) if inside else None
        return replace(self, curve=curve, camera=camera)
