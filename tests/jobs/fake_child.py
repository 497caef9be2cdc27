"""A child process with made-up tasks that behave well or badly: ``python fake_child.py TASK``."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.common.settings import TaskSettings, setting
from napari_c2lst.jobs import child, tasks


class FakeSettings(TaskSettings):
    steps: int = setting(3, help="steps", ge=1)
    folder: Path | None = setting(None, help="where to leave traces")


class FakeResult(TaskResult):
    steps: int
    score: float = float("nan")


def well(settings: FakeSettings, reporter: Reporter) -> TaskResult:
    print("a library that prints on standard output")
    os.write(1, b'{"not": "an event"}\n')
    reporter.message("begin")
    for step in range(settings.steps):
        reporter.progress(step + 1, settings.steps, "steps")
        reporter.metrics(step, {"loss": 1.0 / (step + 1)})
    reporter.picture(Path("strip.png"), "a picture")
    return FakeResult(steps=settings.steps)


def patient(settings: FakeSettings, reporter: Reporter) -> TaskResult:
    """Works until it is asked to stop."""
    reporter.message("working")
    for _ in range(6000):
        if reporter.stop_requested():
            if settings.folder:
                (settings.folder / "checkpoint").write_text("saved")
            raise Stopped("stopped after this step", "go on", settings.folder)
        time.sleep(0.01)
    raise TimeoutError("nobody asked to stop")


def deaf(settings: FakeSettings, reporter: Reporter) -> TaskResult:
    """Never looks whether it should stop, and leaves a worker of its own."""
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    reporter.metrics(0, {"worker": worker.pid})
    time.sleep(60)
    raise AssertionError


def out_of_memory(settings: FakeSettings, reporter: Reporter) -> TaskResult:
    raise RuntimeError("CUDA out of memory. Tried to allocate 20.00 GiB")


def bug(settings: FakeSettings, reporter: Reporter) -> TaskResult:
    raise ZeroDivisionError("division by zero")


def bad_input(settings: FakeSettings, reporter: Reporter) -> TaskResult:
    raise InputError("slide 'P12' has no microns per pixel", "pass --mpp")


def segfault(settings: FakeSettings, reporter: Reporter) -> TaskResult:
    reporter.message("about to crash")
    print("last words", file=sys.stderr, flush=True)
    os.abort()


def silent_exit(settings: FakeSettings, reporter: Reporter) -> TaskResult:
    os._exit(7)


def lingers(settings: FakeSettings, reporter: Reporter) -> TaskResult:
    """Leaves a thread that would keep the process alive."""
    threading.Thread(target=time.sleep, args=(60,)).start()
    return FakeResult(steps=0)


def make(function: Any) -> tasks.Task:
    class FakeTask(tasks.Task):
        def settings_class(self) -> type[TaskSettings]:
            return FakeSettings

        def run(self, settings: Any, reporter: Reporter) -> TaskResult:
            return function(settings, reporter)

    return FakeTask(function.__name__, "", "", "a fake", "", "slide")


for function in (well, patient, deaf, out_of_memory, bug, bad_input, segfault, silent_exit, lingers):
    tasks.TASKS[function.__name__] = make(function)


if __name__ == "__main__":
    code = child.main()
    sys.stderr.flush()
    os._exit(code)
