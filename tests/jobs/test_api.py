from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.common.results import TaskResult
from napari_c2lst.common.settings import TaskSettings, setting
from napari_c2lst.jobs import api, tasks


class TwoPlaces(TaskSettings):
    task = "two"
    path: Path = setting(help="from here", positional=True)
    out: Path = setting(help="to there", positional=True)
    steps: int = setting(3, help="how many", ge=1)


class Seen(TaskResult):
    path: Path
    out: Path
    steps: int


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake(tasks.Task):
        def settings_class(self) -> type[TaskSettings]:
            return TwoPlaces

        def run(self, settings: Any, reporter: Reporter) -> TaskResult:
            reporter.message("working")
            reporter.message("careful", "warning")
            reporter.progress(1, 1)
            return Seen(**settings.model_dump())

    monkeypatch.setitem(tasks.TASKS, "two", Fake("two", "", "", "", "", "slide"))


@pytest.mark.usefixtures("two")
def test_settings_by_place_and_by_name() -> None:
    assert api.run_task("two", "a", "b", steps=5) == Seen(path=Path("a"), out=Path("b"), steps=5)
    assert api.run_task("two", "a", out="b") == Seen(path=Path("a"), out=Path("b"), steps=3)


@pytest.mark.usefixtures("two")
def test_the_reporter_is_told() -> None:
    reporter = RecordingReporter()
    api.run_task("two", "a", "b", reporter=reporter)
    assert reporter.messages == ["working", "careful"]


@pytest.mark.usefixtures("two")
def test_without_a_reporter_messages_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="napari_c2lst"):
        api.run_task("two", "a", "b")
    assert [(r.levelname, r.message) for r in caplog.records] == [("INFO", "working"), ("WARNING", "careful")]


@pytest.mark.usefixtures("two")
def test_faults_come_before_work() -> None:
    reporter = RecordingReporter()
    with pytest.raises(InputError, match="steps = 0"):
        api.run_task("two", "a", "b", steps=0, reporter=reporter)
    with pytest.raises(InputError, match="out is missing"):
        api.run_task("two", "a", reporter=reporter)
    with pytest.raises(InputError, match="takes 2 positional values"):
        api.run_task("two", "a", "b", "c", reporter=reporter)
    with pytest.raises(InputError, match="path given twice"):
        api.run_task("two", "a", path="b", reporter=reporter)
    assert reporter.events == []


@pytest.mark.parametrize("name", ["info", "select", "adapt", "sample", "train", "predict", "evaluate"])
def test_the_functions_name_their_task(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(api, "run_task", lambda *args, **kwargs: calls.append((args, kwargs)))
    getattr(api, name)("slide.zarr", seed=3)
    assert calls == [((name, "slide.zarr"), {"reporter": None, "seed": 3})]


def test_convert_and_pretrain(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(api, "run_task", lambda *args, **kwargs: calls.append(args))
    api.convert("in", "out.zarr")
    api.pretrain("a", "b", out="run")
    assert calls == [("convert", "in", "out.zarr"), ("pretrain", ("a", "b"))]


def test_sample_slide_is_a_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from napari_c2lst.slides import sample_data

    monkeypatch.setattr(sample_data, "sample_slide_path", lambda: str(tmp_path / "s.zarr"))
    assert api.sample_slide() == tmp_path / "s.zarr"


def test_a_setting_may_be_called_name(tmp_path: Path) -> None:
    """`select` and `predict` have a setting of that name."""
    with pytest.raises(InputError, match=r"missing\.zarr"):
        api.select(tmp_path / "missing.zarr", name="train", fraction=0.25)


@pytest.mark.parametrize(
    ("name", "task"), [("find_cells", "cells"), ("train_cells", "train-cells"), ("publish", "publish")]
)
def test_functions_of_other_names_start_their_task(name: str, task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Any] = []
    monkeypatch.setattr(api, "run_task", lambda *args, **kwargs: calls.append((args, kwargs)))
    getattr(api, name)("a", out="b")
    (((first, *_), kwargs),) = calls
    assert first == task
    assert kwargs == {"reporter": None, "out": "b"}


def test_a_task_that_is_not_there_and_a_setting_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no task 'inform'"):
        api.run_task("inform", tmp_path)
    with pytest.raises(InputError, match="microns"):
        api.info(tmp_path / "a.zarr", microns=3)
