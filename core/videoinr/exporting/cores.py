"""How many processors this process may use: fewer than the machine has, in a container or under a scheduler."""

from __future__ import annotations

import os
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")


def usable_cores(groups: Path = _GROUPS) -> int:
    """Return how many processors this process may use, at least 1.

    Args:
        groups: the folder of Linux's control groups, whose quota counts too.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(count, _quota(groups) or count))


def _quota(groups: Path) -> int | None:
    """Return the processors that the control group allows, rounded up; None if it sets no limit."""
    for names in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        try:
            quota, period = " ".join((groups / name).read_text(encoding="ascii") for name in names).split()
            if int(quota) > 0 and int(period) > 0:
                return -(-int(quota) // int(period))
        except (OSError, ValueError):  # No such file, or "max": no limit.
            continue
    return None
