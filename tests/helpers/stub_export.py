"""A stub of ``videoinr export --json-progress`` with its arguments, JSON lines and exit codes, but no model.

The first argument is the outcome: ok, damaged (a clip with errors), fail, crash, hang (until SIGINT), keeps (waits for
the line "keep"), hears (waits for a line or a signal), deaf (ignores SIGINT) or ponders (estimates until SIGINT). With
--queue, the real queue is run, and its jobs are stubs.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

FRAMES = 5


def say(event: str, **values: object) -> None:
    print(json.dumps({"event": event, **values}), flush=True)


def main() -> int:
    how, *arguments = sys.argv[1:]
    if "--queue" in arguments:
        return run_jobs(Path(arguments[-1]))
    out = Path(arguments[-1])
    out.with_suffix(".arguments.json").write_text(json.dumps(arguments))
    if "--estimate" in arguments:
        if how == "ponders":
            time.sleep(60)
        say("estimated", frames=100, secs=125, least_secs=90, most_secs=200, size_bytes=35e6, least_size_bytes=28e6,
            most_size_bytes=45e6, memory_bytes=1.6e9, device_bytes=None, sampled=18)  # fmt: skip
        return 0
    if how == "deaf":
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if how == "crash":
        print("Traceback (most recent call last):\nMemoryError: no more memory", file=sys.stderr)
        return 77
    for done in range(FRAMES + 1):
        say("progress", done=done, total=FRAMES, elapsed_secs=done * 0.1, remaining_secs=None)
        if how == "fail" and done == 2:
            say("failed", message="The disk is full.", hint="Free some space there.")
            return 1
        if how == "keeps" and done == 2:
            assert sys.stdin.readline() == "keep\n"
            kept = out.with_suffix(".partial.mp4")
            say(
                "failed",
                message=f"The export was stopped. Saved 2 frames to {kept}.",
                hint="",
                path=str(kept),
                frames=2,
            )
            return 3
        if how == "hears" and done == 2:
            return hear(out)
        time.sleep(60 if how in ("hang", "deaf") and done == 2 else 0.02)
    out.write_bytes(b"video")
    warnings = ["2 frames decoded with errors."] if how == "damaged" else []
    say("finished", path=str(out), frames=FRAMES, warnings=warnings)
    return 0


def hear(out: Path) -> int:
    """Wait to be stopped, and write how that was said."""
    from videoinr.commands.signals import cancel_on_signals
    from videoinr.commands.stop_lines import heed_lines

    with cancel_on_signals() as token, heed_lines(token):
        out.with_suffix(".hears").touch()
        while not token.cancelled:
            time.sleep(0.01)
    out.with_suffix(".heard").write_text("leave" if token.leaves else "stop")
    return 130


def run_jobs(folder: Path) -> int:
    # Imported here: single exports need none of it, and start in no time.
    from videoinr.errors import ExportError
    from videoinr.exporting.job_file import ExportCall
    from videoinr.exporting.queue import run_queue
    from videoinr.exporting.queue_watch import JobWatch
    from videoinr.types import ExportProgress, ExportReport

    def export(call: ExportCall, watch: JobWatch) -> ExportReport:
        if not call.out.parent.is_dir():
            raise ExportError(f"There is no folder {call.out.parent}.", hint="Create it first.")
        for done in range(FRAMES + 1):
            watch.progress(ExportProgress(done, FRAMES, done * 0.1))
        call.out.write_bytes(b"video")
        return ExportReport(call.out, FRAMES)

    return max((int(result.has_failed) for result in run_queue(folder, export)), default=0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        say("failed", message="The export was stopped.", hint="")
        sys.exit(130)
