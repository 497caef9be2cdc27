"""How the C library keeps freed memory, settled once for a process that is there for one task.

By itself glibc keeps much of what a network gives back: blocks of up to 32 MB are cut from one heap, between others
that live longer, and each thread has a heap of its own. Dask's workers, and so what they start, are told to give all of
it back at once (MALLOC_TRIM_THRESHOLD_), and the kernel clears it anew at every turn: least memory, most time. What
`keep_little_memory` sets lies between, in nearly the time of glibc by itself. It suits nuclei, whose network has
few and very large maps; adaptation is larger or slower with it, and prediction has no such blocks
(`benchmarks/README.md`, "Memory that is kept").
"""

import ctypes
import os
import sys
from typing import Any

MB = 2**20
# numbers of glibc's <malloc.h>, and what they are set to
_TRIM, _MAP, _ARENAS = -1, -3, -8
RULE = {
    # from here on a block is mapped by itself and goes back when it is freed: the largest maps are few, and leave holes
    # in a heap; the many below are worth keeping (4 MB: less memory still, but slower)
    _MAP: 8 * MB,
    # free memory at a heap's end that is kept for the next step; 128 kB if only the one above were named
    _TRIM: 32 * MB,
    # heaps in all, not eight for each core: what threads read and post-process in turn is kept once, not once each
    _ARENAS: 2,
}
# torch asks the kernel for large pages then (Linux), for blocks of 2 MB and more, and gets them in fewer turns; it
# reads this when it first needs memory
LARGE_PAGES = "THP_MEM_ALLOC_ENABLE"
_DASK = "MALLOC_TRIM_THRESHOLD_"
# who set one of these meant it
_CHOSEN = (_DASK, "MALLOC_MMAP_THRESHOLD_", "MALLOC_ARENA_MAX", "GLIBC_TUNABLES")


def settle_memory(*, little: bool) -> None:
    """Settle how this process keeps memory, before it starts threads and loads torch.

    For entry points only, whose process is ours (the command, the child of a task): a library has no say in how its
    caller's memory is kept. No result depends on it.

    Parameters
    ----------
    little
        Whether the task is one that `keep_little_memory` suits. For another one nothing is changed, but for large pages
        where all memory is given back at once: there they save time.
    """
    if little:
        keep_little_memory()
    elif _DASK in os.environ:
        os.environ.setdefault(LARGE_PAGES, "1")


def keep_little_memory() -> bool:
    """Give back large blocks, keep small ones, and ask for large pages.

    Only glibc has these settings; elsewhere (musl, macOS, Windows) nothing is changed but a variable that torch reads
    on Linux alone.

    Returns
    -------
    bool
        Whether the C library took them; False too where the environment names settings of its own, as Dask's does.
    """
    os.environ.setdefault(LARGE_PAGES, "1")
    if any(name in os.environ for name in _CHOSEN):
        return False
    library = _glibc()
    return library is not None and all(library.mallopt(number, value) == 1 for number, value in RULE.items())


def _glibc() -> Any:
    """The C library of this process if it is glibc, else None."""
    if sys.platform != "linux":
        return None
    try:
        name = os.confstr("CS_GNU_LIBC_VERSION")
        return ctypes.CDLL(None) if name and name.startswith("glibc") else None
    except (OSError, ValueError):  # musl knows no such name
        return None
