"""A child that acts out a case under the name of any task: ``python acting_child.py CASE TASK``.

The settings come on the first line of standard input, as for the real child; no slide and no torch is needed.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from napari_c2lst.common.errors import DeviceMemoryError, InputError, Stopped
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.jobs import child


class Made(TaskResult):
    run: str = "runs/local"
    spots: int = 71
    genes: int = 250
    steps: int = 6


def success(reporter: Reporter) -> TaskResult:
    print("a library that prints")
    reporter.message("preset small on CPU: about 1 s")
    for step in range(1, 7):
        reporter.metrics(step, {"loss": 1.0 / step, "mean_loss": 1.0 / step})
        reporter.progress(step, 6, "steps")
    for step in (3, 6):
        reporter.picture(picture(step), f"training spots and synthetic patches for them, step {step}")
    return Made()


def picture(step: int) -> Path:
    import numpy as np
    from PIL import Image

    path = Path(os.environ["ACTING_FOLDER"]) / f"step_{step}.png"
    Image.fromarray(np.full((40, 160, 3), 20 * step, np.uint8)).save(path)
    return path


def bad_input(reporter: Reporter) -> TaskResult:
    raise InputError("slide 'P12' has no microns per pixel", "pass --mpp, for example --mpp 0.5")


def out_of_memory(reporter: Reporter) -> TaskResult:
    reporter.progress(1, 300, "steps")
    raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")


def too_large_for_device(reporter: Reporter) -> TaskResult:
    raise DeviceMemoryError(
        "the device ran out of memory with a batch of 1", "use --device cpu, or close other programs"
    )


def crash(reporter: Reporter) -> TaskResult:
    print("last words", file=sys.stderr, flush=True)
    os.abort()


def bug(reporter: Reporter) -> TaskResult:
    raise ZeroDivisionError("division by zero")


def silent(reporter: Reporter) -> TaskResult:
    os._exit(7)


def patient(reporter: Reporter) -> TaskResult:
    """Works until it is asked to stop."""
    for step in range(1, 6000):
        reporter.progress(step, 6000, "steps")
        if reporter.stop_requested():
            raise Stopped(
                f"stopped after step {step} of 6000", "go on with the same command and --resume auto", Path("x")
            )
        time.sleep(0.01)
    raise TimeoutError("nobody asked to stop")


def deaf(reporter: Reporter) -> TaskResult:
    """Never looks whether it should stop, and has a worker of its own."""
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    reporter.metrics(0, {"worker": worker.pid})
    time.sleep(60)
    raise AssertionError


def garbage(reporter: Reporter) -> TaskResult:
    for line in (
        b'{"event": ["finished"]}',
        b'{"event": "progress"}',
        b'{"event": "metrics", "values": 3}',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b'"finished"',
        b'{"event": "progress", "done": "x", "total": []}',
    ):
        os.write(int(os.environ["ACTING_STDOUT"]), line + b"\n")  # fmt: skip
    return Made()


def main() -> int:
    case = globals()[sys.argv[1]]
    sys.stdin.readline()
    os.environ["ACTING_STDOUT"] = str(os.dup(1))
    events = child.own_stdout()
    return child.serve(sys.argv[2], case, events, sys.stdin)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
