"""How long predicting and finding cells took is noted beside the slide's runs."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from napari_c2lst.jobs.pace import Pace, earlier_work
from napari_c2lst.plugin.jobs.measured import note_time_of


def job_of(**changes: Any) -> Any:
    """A job that has ended, as far as it is asked."""
    said = {
        "task": "cells",
        "settings": {"slide": Path("slide.zarr"), "name": "mine"},
        "last": {"result": {"tiles": 40, "types": {"tumour": 3}}},
        "pace": Pace(4.0, 8.0),
        "log": ["preset small on CPU"],
    }
    return SimpleNamespace(**{**said, **changes})


def test_all_settings_are_noted_also_those_of_the_preset(tmp_path: Path) -> None:
    note_time_of(job_of(), tmp_path / "runs")
    (one,) = earlier_work(tmp_path / "runs", "cells")
    assert one.pace == Pace(4.0, 8.0)
    assert one.settings["slide"] == "slide.zarr"
    assert one.settings["tile_px"] in (384, 512)
    assert one.result == {"tiles": 40}


@pytest.mark.parametrize(
    "changes",
    [
        {"log": ["going on after 30 of 40 tiles"]},  # only what a stopped one had left
        {"pace": None},
        {"last": {}},
        {"settings": {"slide": "slide.zarr", "tile_px": 7}},
    ],
)
def test_what_says_nothing_of_the_whole_is_left_out(tmp_path: Path, changes: dict[str, Any]) -> None:
    note_time_of(job_of(**changes), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_another_slide_and_a_folder_that_cannot_be_written_do_no_harm(tmp_path: Path) -> None:
    note_time_of(job_of(), None)
    (tmp_path / "file").write_text("mine")
    note_time_of(job_of(), tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"
