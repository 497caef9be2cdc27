"""A child that computes as always, on a disk that is full when its result is to take its place."""

import errno
import os
import sys
from pathlib import Path
from typing import Any

from napari_c2lst.jobs import child
from napari_c2lst.slides.store import moving


def full(*_: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


if __name__ == "__main__":
    Path(os.environ["FULL_DISK_MARK"]).write_text("asked")
    moving._consolidate = full
    code = child.main()
    sys.stderr.flush()
    os._exit(code)
