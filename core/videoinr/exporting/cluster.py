"""Has the shares of an export made as tasks of a Dask cluster, and joins them; Dask distributes, retries and reports.

The clip, the model and the output's folder must have the same names on all machines: a network drive.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

from videoinr.cancel import NEVER, CancelToken
from videoinr.clip import open_clip
from videoinr.clip.open_options import OpenOptions
from videoinr.errors import ExportError, InputError, UsageError, VideoInrError
from videoinr.exporting.arguments import JobArguments, job_from_arguments, read_ahead
from videoinr.exporting.export import export_job
from videoinr.exporting.facts import FORM
from videoinr.exporting.job import ExportJob
from videoinr.exporting.joining import found_shares, join_shares
from videoinr.exporting.journal import NothingToResumeError, resumable
from videoinr.exporting.outputs import check_output, target_of
from videoinr.exporting.packet_file import PacketFile
from videoinr.exporting.parts import Share
from videoinr.exporting.share_file import VERSION, share_path
from videoinr.render.arguments import device_name
from videoinr.types import ExportProgress, ExportReport

_INSTALL = 'Install the extra "cluster" first: pip install ".[cluster]" in the source code.'
_CONNECT_SECS, _WORKERS_SECS, _LOOK_SECS, _POLL_SECS = 10, 30, 0.5, 0.05
_GONE_SECS = 60
"""So long an export waits for a worker while the cluster has none: one that was killed is often started again."""
_STOP_SECS = 20
"""So long an export that was stopped waits for workers to drop the shares that they are making: they look for it every
half second, and a chunk of their work is shorter still."""
_SHARES_PER_THREAD = 2
"""More shares than threads: the fastest machines make more of them, and less is lost with a machine."""
_GO_ON = "The shares that are whole are kept. Give the same command with --resume to make the others."
_RETRIES = 2
"""How often Dask repeats a share that failed; one whose worker died it gives to others by rules of its own."""


def export_clip(
    address: str,
    clip: object,
    out: Path,
    arguments: JobArguments,
    options: OpenOptions,
    opening: Mapping[str, Any],
    progress: Callable[[ExportProgress], None],
    notice: Callable[[str], None],
    token: CancelToken,
) -> ExportReport:
    """Export a clip by a cluster, by the arguments of :func:`videoinr.export`; see :func:`export_on_cluster`.

    Args:
        address, progress, notice, token: as for :func:`export_on_cluster`.
        clip: the path of the clip.
        out: the video file.
        arguments: those of :func:`videoinr.export`.
        options: how the clip is read.
        opening: those of :func:`videoinr.open`.
    """
    if not isinstance(clip, str | PathLike) or arguments.get("part") is not None:
        raise UsageError("A cluster exports all of a clip that is a file.", hint="Leave --cluster or --part out.")
    with open_clip(Path(clip), options, token=token) as source:
        job = job_from_arguments(
            source.info, out, read_ahead(arguments), timeline=source.timeline, model=opening.get("model"),
            device=device_name(opening.get("device")), options=options, across_cuts=opening.get("across_cuts", "hold"),
        )  # fmt: skip
    memory = opening.get("memory")
    return export_on_cluster(address, job, progress=progress, notice=notice, token=token, memory_bytes=memory)


def export_on_cluster(
    address: str,
    job: ExportJob,
    *,
    progress: Callable[[ExportProgress], None],
    notice: Callable[[str], None],
    token: CancelToken = NEVER,
    memory_bytes: int | None = None,
) -> ExportReport:
    """Export ``job`` by the workers of the Dask cluster at ``address``, and join what they made.

    Args:
        address: of the cluster's scheduler: ``tcp://HOST:8786``.
        job: a video. With ``resume``, shares that an earlier run has left are kept.
        progress: called on this thread, every half second.
        notice: called with each sentence that a user should read.
        token: cancels the export, on the workers too; the shares that are whole stay only if it says so.
        memory_bytes: the budget of the caches of each worker; None: each chooses it from its device's memory.

    Returns:
        The output, and what became of the clip's sound and other streams.

    Raises:
        UsageError: the job writes no video that can be shared.
        InputError: no cluster answers at ``address``, or it has no workers, or they have other versions.
        ExportError: a share failed again and again, the cluster had no worker for a minute, or its scheduler ended; or
            the output cannot be written.
        Cancelled: ``token`` was cancelled.
    """
    distributed = _distributed()
    first = replace(job, share=Share(1, job.plan.count), resume=False, keep_partial=False)
    first.check()
    check_output(replace(job, resume=False))
    with _connected(distributed, address) as client:
        shares = _shares(client, job)
        missing = [share for share in shares if not (job.resume and _is_whole(share_path(job.out, share)))]
        try:
            _Tasks(distributed, client, _for_workers(job), shares, missing, memory_bytes).run(progress, token)
        except ExportError:
            raise
        except BaseException:
            if not token.leaves:
                _remove(job, shares)
            raise
    paths = [share_path(job.out, share) for share in shares]
    report = join_shares(job.out, paths, overwrite=job.overwrite, notice=notice, token=token)
    _remove(job, shares)
    return report


def make_share(job: ExportJob, topic: str, memory_bytes: int | None = None) -> None:
    """Make the share of ``job`` that it names, with that budget of caches: a task of a worker. Raises ExportError."""
    from videoinr.render.engine import open_engine

    distributed = _distributed()
    worker, token, ended = distributed.get_worker(), CancelToken(), threading.Event()
    number, told = job.share.number, 0.0
    worker.log_event(topic, {"share": number, "is_made": True})
    stop = distributed.Event(topic)
    watcher = threading.Thread(target=_watch, args=(stop, token, ended), daemon=True)
    watcher.start()

    def progress(now: ExportProgress) -> None:
        nonlocal told
        if now.done == now.total or time.monotonic() - told > _LOOK_SECS:
            told = time.monotonic()
            worker.log_event(topic, {"share": number, "done": now.done})

    try:
        if stop.is_set():  # It was stopped between its last look at its tasks and this one's start.
            token.cancel()
        with open_engine(
            job.clip, model=job.model, device=job.device, memory_bytes=memory_bytes, options=job.options,
            across_cuts=job.across_cuts, token=token,
        ) as engine:  # fmt: skip
            if resumable(target_of(job)):
                with contextlib.suppress(NothingToResumeError):
                    export_job(replace(job, resume=True), engine, progress=progress, token=token)
                    return
            export_job(job, engine, progress=progress, token=token)
    except VideoInrError as error:
        # Some errors have more arguments than a message, and would not reach the other side.
        raise ExportError(str(error), hint=error.hint) from None
    finally:
        ended.set()
        worker.log_event(topic, {"share": number, "is_made": False})


def _watch(stop: Any, token: CancelToken, ended: threading.Event) -> None:
    """Cancel ``token`` once the cluster's event ``stop`` is set."""
    while not ended.wait(_LOOK_SECS):
        with contextlib.suppress(Exception):  # A scheduler that is gone cancels its workers itself.
            if stop.is_set():
                token.cancel()
                return


class _Tasks:
    """The tasks of an export on a cluster."""

    def __init__(
        self, distributed: ModuleType, client: Any, job: ExportJob, shares: list[Share], missing: list[Share],
        memory_bytes: int | None = None,
    ) -> None:  # fmt: skip
        self._client, self._job = client, job
        self._workers_seen = time.monotonic()
        self._topic = f"videoinr-{uuid.uuid4().hex}"
        self._made_now = set[int]()
        self._done = {share.number: self._frames(share) for share in shares if share not in missing}
        self._found = sum(self._done.values())
        self._stop = distributed.Event(self._topic, client=client)
        client.subscribe_topic(self._topic, self._note)
        self._futures = {
            client.submit(
                make_share, replace(job, share=share), self._topic, memory_bytes, retries=_RETRIES, pure=False,
                key=f"{self._topic}-{share.number}",
            ): share
            for share in missing
        }  # fmt: skip

    def _frames(self, share: Share) -> int:
        return sum(len(self._job.plan.frames(part)) for part in share.parts(self._job.plan))

    def _note(self, event: tuple[float, dict[str, int]]) -> None:
        number, note = event[1]["share"], event[1]
        if "done" in note:
            self._done[number] = note["done"]
        elif note["is_made"]:
            self._made_now.add(number)
        else:
            self._made_now.discard(number)

    def run(self, progress: Callable[[ExportProgress], None], token: CancelToken) -> None:
        """Wait until all shares are made. Raises ExportError or Cancelled."""
        started, total = time.monotonic(), self._job.plan.total
        waiting, failed = set(self._futures), dict[Share, BaseException]()
        try:
            progress(ExportProgress(self._found, total, 0.0, self._found))
            while waiting:
                token.check()
                done = self._ended(waiting)
                waiting -= done
                for future in done:
                    share = self._futures[future]
                    if future.status == "finished":
                        self._done[share.number] = self._frames(share)
                    else:
                        failed[share] = self._error_of(future)
                now = min(sum(list(self._done.values())), total)
                progress(ExportProgress(now, total, time.monotonic() - started, self._found))
                if waiting:
                    self._check_workers()
        except BaseException:
            self._end()
            raise
        finally:
            with contextlib.suppress(Exception):  # A scheduler that is gone has no topics.
                self._client.unsubscribe_topic(self._topic)
        if failed:
            share, error = next(iter(failed.items()))
            raise ExportError(
                f"Of the shares of the export {len(failed)} failed; {share}: {error}",
                hint="The others are kept. Give the same command with --resume to make those that failed.",
            )

    def _end(self) -> None:
        """Have the workers stop, if the scheduler can still be reached, and wait until they did so."""
        if self._client.status == "running":
            with contextlib.suppress(Exception):  # The error that ended the export counts, not what it breaks.
                self._stop.set()
                self._client.cancel(list(self._futures))
                self._await_end()

    def _await_end(self) -> None:
        """Wait until no worker makes a share any more, which would appear after the others have been removed.

        Dask forgets a task that was cancelled, but its thread goes on; and what workers tell takes a moment.
        """
        until, quiet = time.monotonic() + _STOP_SECS, time.monotonic() + _LOOK_SECS
        while (now := time.monotonic()) < until and (self._made_now or now < quiet) and self._has_workers():
            time.sleep(_POLL_SECS)

    def _ended(self, futures: set[Any]) -> set[Any]:
        """Return those of ``futures`` that have ended, waiting a little for the first."""
        until = time.monotonic() + _LOOK_SECS
        while not (found := {each for each in futures if each.status != "pending"}):
            if time.monotonic() > until:
                break
            time.sleep(_POLL_SECS)
        return found

    def _error_of(self, future: Any) -> BaseException:
        """Return why ``future`` failed. Raises ExportError if Dask has given it up with the connection."""
        if future.status != "error":
            raise ExportError("The connection to the cluster's scheduler was lost.", hint=_GO_ON)
        error: BaseException = future.exception()
        return error

    def _check_workers(self) -> None:
        """Raise ExportError if the cluster has had no worker for a while."""
        now = time.monotonic()
        if self._has_workers():
            self._workers_seen = now
        elif now - self._workers_seen > _GONE_SECS:
            raise ExportError(
                f"The cluster has had no worker for {_GONE_SECS} seconds.", hint=f"Start dask worker again. {_GO_ON}"
            )

    def _has_workers(self) -> bool:
        if self._client.status != "running":
            return False
        try:
            return bool(self._client.scheduler_info()["workers"])
        except (OSError, TimeoutError):
            return False


def _for_workers(job: ExportJob) -> ExportJob:
    """Return ``job`` with whole paths: workers have folders of their own."""
    is_file = job.model is not None and ("/" in job.model or job.model.endswith(".safetensors"))
    return replace(
        job, clip=job.clip.absolute(), out=job.out.absolute(), overwrite=True, resume=False, keep_partial=False,
        model=str(Path(job.model).absolute()) if job.model is not None and is_file else job.model,
    )  # fmt: skip


def _distributed() -> ModuleType:
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise UsageError("Exports on a cluster need Dask.", hint=_INSTALL) from None


@contextlib.contextmanager
def _connected(distributed: ModuleType, address: str) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout=_CONNECT_SECS, set_as_default=False)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        raise InputError(
            f"No Dask cluster answers at {address}: {error}.", hint="Give its scheduler's address: tcp://HOST:8786."
        ) from error
    with client, client.as_current():
        try:
            client.wait_for_workers(1, timeout=_WORKERS_SECS)
            versions = set(client.run(_version).values())
        except (TimeoutError, distributed.TimeoutError):
            raise InputError(f"The cluster at {address} has no workers.", hint="Start dask worker first.") from None
        except Exception as error:
            raise InputError(
                f"The cluster's workers cannot run videoinr: {error}.", hint="Install the same version on all machines."
            ) from error
        if versions != {_version()}:
            raise InputError(
                f"The cluster's workers make shares of version {', '.join(sorted(versions))}, not {_version()}.",
                hint="Install the same version on all machines.",
            )
        yield client


def _version() -> str:
    """Return what must be equal for shares to fit each other."""
    return f"{FORM}.{VERSION}"


def _shares(client: Any, job: ExportJob) -> list[Share]:
    """Return the shares of ``job``: those that an earlier run has begun, or as many as suit the cluster."""
    found = [each for each in found_shares(job.out) if _is_whole(each)] if job.resume else []
    if found:
        count = int(found[0].name.rpartition("of")[2])
    else:
        threads = sum(client.nthreads().values())
        count = max(1, min(job.plan.count, threads * _SHARES_PER_THREAD))
    if count > job.plan.count:
        raise UsageError(f"{found[0]} belongs to another export.", hint="Remove it, or leave --resume out.")
    return [Share(number, count) for number in range(1, count + 1)]


def _is_whole(path: Path) -> bool:
    try:
        return PacketFile(path).notes is not None
    except (OSError, ExportError):
        return False


def _remove(job: ExportJob, shares: list[Share]) -> None:
    for share in shares:
        share_path(job.out, share).unlink(missing_ok=True)
