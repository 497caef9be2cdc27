from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from napari_c2lst.plugin.keeping.commands import command_line
from napari_c2lst.plugin.keeping.history import steps_done
from napari_c2lst.plugin.session import Session
from napari_c2lst.slides.slide import Slide
from napari_c2lst.slides.spots.spotsets import SpotSet


def session_of(slide: Slide) -> Session:
    session = Session()
    session.slide, session.opening = slide, {"mpp": 0.7, "image": Path("full.tif")}
    return session


def add_set(session: Session, name: str, how: dict[str, object]) -> None:
    ids = session.require_slide().require_spots().ids
    session.sets[name] = SpotSet.of(name, ids, np.ones(len(ids), dtype=bool), how)


def test_nothing_is_open() -> None:
    assert steps_done(Session()) == []


def test_sets_runs_and_jobs_in_the_order_of_the_work(make_slide: Callable[..., Slide], tmp_path: Path) -> None:
    session = session_of(make_slide(path=tmp_path / "P12.zarr"))
    add_set(session, "train", {"fraction": 0.25, "seed": 3, "split": "blocked"})
    add_set(session, "mine", {"by_hand": "lasso", "min_counts": 50.0, "colour": "#0072b2"})
    add_set(session, "tumour", {"column": "label", "equals": ["in situ"]})
    run = tmp_path / "P12_c2lst" / "local"
    run.mkdir(parents=True)
    text = f'kind = "adapt"\n[settings]\nslide = "a.zarr"\nout = "{run}"\npreset = "small"\nsteps = 7\n'
    (run / "config.toml").write_text(text)
    jobs = [
        SimpleNamespace(task="adapt", label="adapt", out=run, settings={}),  # has a run folder already
        SimpleNamespace(task="predict", label="predict", out=None, settings={"slide": Path("a"), "predictor": "r"}),
        SimpleNamespace(task="other", label="other", out=None, settings={}),
    ]
    done = steps_done(session, jobs)
    assert [each.label for each in done] == [
        "Describe the slide: P12",
        "Choose spots: train",
        "Choose spots: mine",
        "Choose spots: tumour",
        "Adapt: local (stopped)",
        "Predict: predict",
    ]
    lines = [command_line(each.task, each.values) for each in done]
    opening = f"{tmp_path / 'P12.zarr'} --image full.tif --mpp 0.7"
    assert lines[0] == f"c2lst info {opening}"
    assert lines[1] == f"c2lst select {opening} --name train --fraction 0.25 --split blocked --seed 3"
    assert done[2].ids == ("a", "b", "c")  # drawn by hand: no settings say it, a list of spots does
    assert lines[2] == f"c2lst select {opening} --name mine --ids {done[2].values['ids']} --min-counts 50.0"
    assert lines[3] == f"c2lst select {opening} --name tumour --column label --equals 'in situ'"
    assert lines[4] == f"c2lst adapt a.zarr --preset small --out {run} --steps 7"
    assert lines[5] == "c2lst predict a --predictor r"


def test_the_same_prediction_is_listed_once(make_slide: Callable[..., Slide]) -> None:
    job = SimpleNamespace(task="predict", label="predict", out=None, settings={"slide": "a", "predictor": "r"})
    assert len(steps_done(session_of(make_slide()), [job, job])) == 2


def test_a_list_of_spots_is_written_when_it_is_asked_for(make_slide: Callable[..., Slide], tmp_path: Path) -> None:
    session = session_of(make_slide(path=tmp_path / "P12.zarr"))
    add_set(session, "mine", {"by_hand": "lasso"})
    (_, done) = steps_done(session)
    assert not (tmp_path / "P12_c2lst").exists()
    assert done.prepare() == Path(done.values["ids"])
    assert Path(done.values["ids"]).read_text() == "a\nb\nc\n"
    # another choice under that name gets a list of its own
    session.sets["mine"] = SpotSet.of("mine", session.require_slide().require_spots().ids, np.arange(3) < 2, {})
    other = steps_done(session)[1]
    assert other.values["ids"] != done.values["ids"]
    assert steps_done(session)[0].prepare() is None


@pytest.mark.parametrize("there", [True, False])
def test_shapes_of_a_file_that_is_gone_become_a_list(
    make_slide: Callable[..., Slide], tmp_path: Path, there: bool
) -> None:
    session, file = session_of(make_slide(path=tmp_path / "P12.zarr")), tmp_path / "q.geojson"
    add_set(session, "mine", {"polygon": str(file), "classes": ["Tumor"]})
    if there:
        file.write_text("{}")
    (_, done) = steps_done(session)
    assert ("polygon" in done.values) is there
    assert ("ids" in done.values) is not there
    assert done.values.get("polygon_class") == (["Tumor"] if there else None)
