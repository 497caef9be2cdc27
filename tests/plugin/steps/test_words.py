"""What a step offers, how runs are named and what is said at the end; none of it needs a window."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from napari_c2lst.jobs.tasks import TASKS
from napari_c2lst.plugin.jobs.desk import JobDesk
from napari_c2lst.plugin.jobs.temporary_store import slide_of_array
from napari_c2lst.plugin.session import Session
from napari_c2lst.plugin.steps.ending import ending
from napari_c2lst.plugin.steps.launching import Launcher
from napari_c2lst.plugin.steps.offers import predictions_of, runs_of, sets_of, slide_line, stopped_run
from napari_c2lst.plugin.steps.run_name import RunNameField
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_source
from napari_c2lst.slides.spots.spotsets import SpotSet, spot_set_names

OUT = next(info for info in TASKS["adapt"].settings_class().fields_info() if info.name == "out")


@pytest.mark.parametrize(
    ("state", "last", "level", "message", "hint", "resumable"),
    [
        ("finished", {"lines": ["written: x", "scored 3 spots"]}, "success", "scored 3 spots", "next: Sample", False),
        ("finished", {}, "success", "finished", "next: Sample", False),
        ("failed", {"message": "m", "hint": "pass --mpp", "fault": "input"}, "error", "m", "panel 'Open'", False),
        ("failed", {"message": "m", "hint": "", "fault": "crash"}, "error", "m", "open Details", True),
        ("stopped", {"message": "stopped", "hint": ""}, "info", "stopped", "press Resume", True),
    ],
)
def test_endings(state: str, last: dict[str, Any], level: str, message: str, hint: str, resumable: bool) -> None:
    said = ending("adapt", state, last)
    assert (said.level, said.message, said.resumable) == (level, message, resumable)
    assert hint in said.hint


def test_results_are_told_without_paths() -> None:
    result = {"run": "/long/path/pairs", "patches": 1355, "spots": 71}
    assert ending("sample", "finished", {"result": result}).message == (
        "pairs 'pairs': 1,355 synthetic patches from 71 training spots"
    )


def test_run_names(qtbot: Any, tmp_path: Path) -> None:
    field = RunNameField(OUT, "local")
    field.look_in(tmp_path)
    assert field.get() == tmp_path / "local"
    (tmp_path / "local").mkdir()
    field.look_in(tmp_path)
    assert field.get() == tmp_path / "local_2"
    field.native.setText("mine")
    field.look_in(tmp_path)
    assert field.get() == tmp_path / "mine"  # the user's own name stays while it is free
    (tmp_path / "mine").mkdir()
    field.look_in(tmp_path)
    assert field.get() == tmp_path / "mine_2"
    field.native.setText("/elsewhere/run")
    assert field.get() == Path("/elsewhere/run")
    field.set(tmp_path / "given")
    assert field.native.text() == "given"
    field.native.setText(" ")
    assert field.get() is None
    assert field.problem()


def test_nothing_is_offered_without_a_slide() -> None:
    session = Session()
    assert (sets_of(session), runs_of(session, "adapt"), predictions_of(session)) == ([], [], [])
    assert stopped_run(session, "adapt", []) is None
    assert "Open one first" in slide_line(session)


def test_the_line_of_a_slide_without_spots() -> None:
    import numpy as np

    session = Session()
    session.open(slide_of_array(np.zeros((40, 40, 3), np.uint8), 0.5, "layer"))
    assert slide_line(session) == "layer: an image without spots"


@pytest.fixture
def legacy(tmp_path: Path) -> Session:
    """A slide that is no store, with a set of spots."""
    shutil.copytree(sample_source(), tmp_path / "B4")
    session = Session()
    session.open(open_slide(tmp_path / "B4" / "B4.tsv.gz"))
    ids = session.require_slide().spots.ids
    session.sets["train"] = SpotSet.of("train", ids, ids == ids[0], {})
    return session


def test_a_slide_that_is_no_store_is_converted_first(qtbot: Any, legacy: Session) -> None:
    desk = JobDesk(legacy)
    owner = Launcher(legacy, desk, desk)
    source = legacy.require_slide().path
    launched: list[Any] = []
    owner.launched.connect(launched.append)
    # the real child: it converts, then refuses to adapt for want of an output
    owner.launch("adapt", {"slide": source, "spots": "train"}, "Adapt", "train")
    qtbot.waitUntil(lambda: len(launched) == 2 and not launched[1].active, timeout=120_000)
    convert, adapt = launched
    assert (convert.task, convert.state) == ("convert", "finished")
    store = legacy.store
    assert store is not None
    assert adapt.settings["slide"] == store
    assert "train" in spot_set_names(open_slide(store))
    assert adapt.last["message"] == "out is missing"
    desk.close()


def test_an_image_in_memory_goes_through_a_temporary_store(qtbot: Any) -> None:
    import numpy as np

    session = Session()
    desk = JobDesk(session)
    session.open(slide_of_array(np.full((300, 300, 3), 200, np.uint8), 0.5, "layer"))
    told: list[tuple[str, str, str]] = []
    session.told.connect(lambda *values: told.append(values))
    owner, launched = Launcher(session, desk, desk), []
    owner.launched.connect(launched.append)
    owner.launch("info", {"slide": session.require_slide().path, "tissue": False}, "Info")
    qtbot.waitUntil(lambda: bool(launched) and not launched[0].active, timeout=120_000)
    assert launched[0].state == "finished", launched[0].last
    store = Path(launched[0].settings["slide"])
    assert desk.temporary.holds(store)
    assert told[0][0] == "warning"
    assert "save a copy" in told[0][2]
    desk.end()
    assert not store.exists()
