from __future__ import annotations

import pytest

from napari_c2lst.jobs.tasks import TASKS
from napari_c2lst.plugin.forms.labels import (
    bounds_in_words,
    faults_in_window,
    in_window,
    label_of,
    tooltip_of,
    unit_of,
)

ADAPT = {info.name: info for info in TASKS["adapt"].settings_class().fields_info()}
PREDICT = {info.name: info for info in TASKS["predict"].settings_class().fields_info()}


def test_labels_and_units() -> None:
    assert label_of(ADAPT["learning_rate"]) == "Learning rate"
    assert label_of(ADAPT["mpp"]) == "Pixel size"
    assert label_of(ADAPT["square_um"]) == "Square"
    assert unit_of(PREDICT["stride_um"]) == "µm"
    assert unit_of(ADAPT["genes"]) == "genes"
    assert unit_of(ADAPT["steps"]) == ""


def test_no_two_fields_of_a_form_are_called_the_same() -> None:
    for task in TASKS.values():
        labels = [label_of(info) for info in task.settings_class().fields_info()]
        assert len(set(labels)) == len(labels), task.name


def test_tooltips_say_help_bounds_and_flag() -> None:
    tip = tooltip_of(ADAPT["ema"])
    assert tip.startswith("<p>Decay of the moving average")
    assert "At least 0, below 1." in tip
    assert "--ema" in tip
    assert bounds_in_words(ADAPT["spots"]) == ""


@pytest.mark.parametrize(
    ("hint", "read"),
    [
        ("go on with the same command and --resume auto (the run folder is 'x')", "press Resume to go on from there"),
        ("pass --mpp, for example --mpp 0.5", "set the microns per pixel in the panel 'Open'"),
        ("pass --spots all, or --where grid", "set 'Spots' to all, or 'Where' grid"),
        ("choose another --out", "choose another run name"),
        (
            "use a smaller batch or --preset small, or close other programs",
            "use a smaller batch or choose the preset 'small', or close other programs",
        ),
        ("make it: c2lst select slide.zarr --name train ...", "select spots and save them as a set of that name"),
        ("nothing to change here", "nothing to change here"),
    ],
)
def test_hints_name_buttons_and_fields(hint: str, read: str) -> None:
    assert in_window(hint) == read


def test_faults_name_fields_by_their_labels() -> None:
    said = faults_in_window("local is missing; learning_rate = -1: must be above 0", ["local", "learning_rate"])
    assert said == "'Local model' is missing; 'Learning rate' = -1: must be above 0"
