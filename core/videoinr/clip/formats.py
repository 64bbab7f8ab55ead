"""The container formats that are opened. FFmpeg knows many more, and some of them open further files or sockets."""

from __future__ import annotations

from pathlib import Path

_PICTURES = (
    *("png_pipe", "apng", "jpeg_pipe", "mjpeg", "jpegls_pipe", "jpegxl_pipe", "jpegxl_anim", "j2k_pipe", "webp_pipe"),
    *("gif", "gif_pipe", "bmp_pipe", "tiff_pipe", "exr_pipe", "dpx_pipe", "hdr_pipe", "qoi_pipe", "sgi_pipe"),
    *("pam_pipe", "pbm_pipe", "pgm_pipe", "pgmyuv_pipe", "ppm_pipe", "pfm_pipe", "phm_pipe", "image2pipe"),
    "mov,mp4,m4a,3gp,3g2,mj2",  # AVIF and HEIC
)
"""FFmpeg's names of the formats of pictures, single and animated."""

_VIDEOS = (
    *("matroska,webm", "avi", "mpegts", "mpeg", "yuv4mpegpipe", "mxf", "ogg", "flv", "live_flv", "kux", "asf", "asf_o"),
    *("ivf", "nut", "dv", "gxf", "rm", "wtv", "nsv", "nuv", "swf", "ty", "pva", "cine", "flic", "roq", "smk", "bink"),
    # Streams of packets without a container:
    *("h261", "h263", "h264", "hevc", "vvc", "evc", "m4v", "mpegvideo", "av1", "obu", "vc1", "vc1test", "dirac"),
    *("cavsvideo", "avs2", "avs3", "mjpeg_2000", "dnxhd", "apv"),
)
"""FFmpeg's names of the formats of videos. All of them hold their frames themselves."""

# Never to be added: hls, dash, concat, sdp, rtp, rtsp, sap, imf, image2, vobsub, mlv and svg_pipe open further files or
# sockets; tty, bin, xbin, adf, idf and txd show any text as a video; lavfi and the devices are not files.

PICTURE_OPTIONS = {"format_whitelist": ",".join(_PICTURES), "protocol_whitelist": "none"}
"""Options for opening the bytes of a picture: nothing else can be opened."""

VIDEO_OPTIONS = {"format_whitelist": ",".join((*_VIDEOS, *_PICTURES)), "protocol_whitelist": "file"}
"""Options for opening a video file. FFmpeg opens the file itself; none of the formats opens another one."""

_HEAD_BYTES = 1024
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\f\r")

NO_PLAYLISTS = "Playlists and other files that name further files are not opened."


def is_text(path: Path) -> bool:
    """Return whether the file begins as text does: a playlist, a script, a web page. False if it cannot be read."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        return False
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _decodes(head[: len(head) // 2 * 2], "utf-16")
    return not _CONTROLS.intersection(head) and _decodes(head, "utf-8")


def _decodes(head: bytes, encoding: str) -> bool:
    try:
        head.decode(encoding)
    except UnicodeDecodeError as error:
        # The last character may be cut.
        return len(head) == _HEAD_BYTES and error.start > _HEAD_BYTES - 4
    return True
