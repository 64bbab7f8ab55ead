"""Harmless texts in the forms of playlists and other files that name further files; what they name is local."""

from __future__ import annotations

from pathlib import Path

_HLS = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n{0}#EXTINF:1.0,\n{1}\n#EXT-X-ENDLIST\n"
_SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {0} {1} 96\na=rtpmap:96 H264/90000\n"
_MPD = (
    '<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
    'profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" mediaPresentationDuration="PT1S"><Period>'
    '<AdaptationSet contentType="video" mimeType="video/mp4"><Representation id="0" bandwidth="1">'
    "<BaseURL>{0}</BaseURL><SegmentBase/></Representation></AdaptationSet></Period></MPD>\n"
)
_CPL = (
    '<?xml version="1.0"?>\n<CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016">'
    "<Id>urn:uuid:00000000-0000-0000-0000-000000000000</Id><EditRate>24 1</EditRate></CompositionPlaylist>\n"
)


def playlist_texts(bait: Path, port: int) -> dict[str, str]:
    """Return 30 texts by name. They name the file ``bait``, and ``port`` of this machine."""
    path, address = str(bait), f"127.0.0.1:{port}"
    return {
        "hls": _HLS.format("", path),
        "hls_relative": _HLS.format("", bait.name),
        "hls_file": _HLS.format("", f"file://{path}"),
        "hls_socket": _HLS.format("", f"http://{address}/a.ts"),
        "hls_key": _HLS.format(f'#EXT-X-KEY:METHOD=AES-128,URI="{path}"\n', path),
        "hls_map": _HLS.format(f'#EXT-X-MAP:URI="{path}"\n', path),
        "hls_master": f"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n{path}\n",
        "hls_subfile": _HLS.format("", f"subfile,,start,0,end,9,,:{path}"),
        "hls_concat": _HLS.format("", f"concat:{path}|{path}"),
        "hls_crypto": _HLS.format("", f"crypto:{path}"),
        "m3u": f"#EXTM3U\n#EXTINF:1,a\n{path}\n",
        "ffconcat": f"ffconcat version 1.0\nfile '{path}'\n",
        "ffconcat_relative": f"ffconcat version 1.0\nfile {bait.name}\nduration 1\n",
        "ffconcat_file": f"ffconcat version 1.0\nfile 'file:{path}'\n",
        "ffconcat_socket": f"ffconcat version 1.0\nfile 'tcp://{address}'\n",
        "ffconcat_option": f"ffconcat version 1.0\nfile '{path}'\noption protocol_whitelist file,tcp,udp\n",
        "concat": f"file '{path}'\n",
        "sdp": _SDP.format(port, "RTP/AVP"),
        "sdp_tcp": _SDP.format(port, "TCP/RTP/AVP"),
        "sdp_multicast": _SDP.format(port, "RTP/AVP").replace("IP4 127.0.0.1\nt=", "IP4 224.0.0.251/1\nt="),
        "rtsp": f"rtsptext\nrtsp://{address}/a\n",
        "dash": _MPD.format(path),
        "dash_socket": _MPD.format(f"http://{address}/a.mp4"),
        "imf": _CPL,
        "smil": f'<smil><body><video src="{path}"/></body></smil>\n',
        "asx": f'<asx version="3.0"><entry><ref href="http://{address}/a"/></entry></asx>\n',
        "pls": f"[playlist]\nFile1={path}\nNumberOfEntries=1\n",
        "xspf": f"<?xml version='1.0'?><playlist><trackList><location>{path}</location></trackList></playlist>\n",
        "vobsub": "# VobSub index file, v7 (do not modify this line!)\nsize: 64x48\nid: en, index: 0\n",
        "svg": f"<svg xmlns='http://www.w3.org/2000/svg' width='64' height='48'><image href='{path}'/></svg>\n",
    }
