"""Whether a process has ended that is not a child of this one."""

from __future__ import annotations

import os
import select
import sys
from contextlib import suppress


def ends_soon(pid: int) -> bool:
    """Wait for a process to end; for half a minute at most. Linux only."""
    if sys.platform != "linux":
        raise NotImplementedError
    with suppress(ProcessLookupError):  # where it has ended already
        process = os.pidfd_open(pid)
        ended, _, _ = select.select([process], [], [], 30)
        os.close(process)
        return bool(ended)
    return True
