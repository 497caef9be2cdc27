from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import napari_c2lst
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
        (
            "give a folder with config.json, or pass --allow-download",
            "give a folder with config.json, or set 'Allow download'",
        ),
        ("pass --image-scale if the image is a scaled version", "set 'Image scale' if the image is a scaled version"),
        ("add --precision fp32", "set 'Precision' to fp32"),
        ("go on with 'c2lst sample' and --resume auto", "press Resume in the step 'Sample'"),
        ("finish it: c2lst train ... --resume auto", "press Resume in the step 'Train'"),
        ("sample more: c2lst sample --ratio 8", "sample more: set 'Patches a spot' to 8 in the step 'Sample'"),
        ("give the --out of 'c2lst train'", "give a run of the step 'Train'"),
        ("a local model is the file of a 'c2lst adapt' run", "a local model is the file of a run of the step 'Adapt'"),
        (
            "it has a, b; make some with 'c2lst predict x.zarr --predictor RUN'",
            "it has a, b; make some in the step 'Predict'",
        ),
        ("leave low spots out: c2lst select ... --min-counts 100", "leave low spots out: in the step 'Spots'"),
        (
            "the slide is as it was; the same command goes on from here",
            "the slide is as it was; Resume goes on from here",
        ),
        ("the same command starts it anew", "press Run again"),
        ("open a slide with counts (see 'c2lst info --help' for what can be opened)", "open a slide with counts"),
        ("convert it first: c2lst convert a slide.svs", "convert it to a SpatialData first"),
        ("use letters, digits, '.', '_' and '-' (--name)", "use letters, digits, '.', '_' and '-' ('Name')"),
        ("select more: a larger --fraction, a larger polygon", "select more: a larger share, a larger polygon"),
        ("the set of training spots (see 'c2lst select')", "the set of training spots, as the step 'Spots' keeps it"),
        ("run folders to score; repeat the flag for several", "run folders to score"),
        ("the --out of 'c2lst train-cells'", "the run folder of 'c2lst train-cells'"),
        ("there is no '/data/run--old/a--b.zarr'", "there is no '/data/run--old/a--b.zarr'"),
    ],
)
def test_hints_name_buttons_and_fields(hint: str, read: str) -> None:
    assert in_window(hint) == read


def test_faults_name_fields_by_their_labels() -> None:
    said = faults_in_window("local is missing; learning_rate = -1: must be above 0", ["local", "learning_rate"])
    assert said == "'Local model' is missing; 'Learning rate' = -1: must be above 0"


def test_a_list_without_choices_misses_its_value() -> None:
    said = faults_in_window(
        "steps = 0: must be at least 1; spots = None: input should be a valid string", ["steps", "spots"]
    )
    assert said == "'Steps' = 0: must be at least 1; 'Spots' is missing"


@pytest.mark.parametrize(
    ("name", "said"),
    [("learning_rate", "above 0"), ("ema", "at least 0, below 1"), ("workers", "at least 1"), ("out", "")],
)
def test_bounds_are_said_in_words(name: str, said: str) -> None:
    assert bounds_in_words(ADAPT[name]) == said


# Rooms whose messages come up in the window, and what of them never does: preparing tiles and models is for others.
_ROOMS = ("common", "slides", "diffusion", "expression", "evaluation", "cells")
_ELSEWHERE = ("diffusion/tiles", "diffusion/publishing", "diffusion/processes", "cells/training", "cells/synthetic",
              "slides/spots/selection_settings")  # fmt: skip
_ERRORS = ("InputError", "MismatchError", "Stopped", "RunFailure", "DeviceMemoryError")


def hints() -> list[str]:
    """Every message and hint that is written out in the source, a word for each value in it."""
    root, found = Path(napari_c2lst.__file__).parent, []
    files = [file for room in _ROOMS for file in sorted((root / room).rglob("*.py"))]
    for file in files:
        if file.relative_to(root).as_posix().startswith(_ELSEWHERE):
            continue
        calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
        for call in calls:
            if isinstance(call.func, ast.Name) and call.func.id in _ERRORS:
                found += [text for text in map(text_of, call.args) if text]
    return found


def text_of(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(each.value) if isinstance(each, ast.Constant) else "8" for each in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_no_message_of_a_task_speaks_of_flags_or_commands_in_the_window() -> None:
    texts = hints()
    assert len(texts) > 200
    # two tasks have no panel: what they make comes from elsewhere
    read = [re.sub(r"'c2lst (pretrain|train-cells)'", "", in_window(text)) for text in texts]
    odd = [
        text
        for text in read
        if re.search(r"--\w|c2lst \w+ |'c2lst |\bcommand\b|\bto to\b|\ba the\b|to (if|or)\b", text)
    ]
    assert odd == []
