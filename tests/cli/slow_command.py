"""`c2lst every ...` with a task that goes on until it is asked to stop: `python slow_command.py every SLIDE ...`."""

import time

from fakes import EveryKind, fake_task

from napari_c2lst.cli.main import main
from napari_c2lst.common.errors import Stopped
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.jobs.tasks import TASKS


class Registry:
    """Stands in for pytest's monkeypatch."""

    def setitem(self, mapping: dict[str, object], name: str, value: object) -> None:
        mapping[name] = value


def work(settings: EveryKind, reporter: Reporter) -> TaskResult:
    reporter.stop_requested()
    reporter.message("listening")
    for step in range(3000):
        if reporter.stop_requested():
            if not settings.polish:
                time.sleep(60)
            (settings.out / "checkpoint").write_text("saved")
            raise Stopped(f"stopped at step {step}", "go on", settings.out)
        time.sleep(0.01)
    raise TimeoutError


if __name__ == "__main__":
    fake_task(Registry(), work)
    assert "every" in TASKS
    main()
