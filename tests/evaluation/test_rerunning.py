from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError, MismatchError, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.diffusion.pairs import load_pairs
from napari_c2lst.evaluation import rerunning
from napari_c2lst.evaluation.evaluating import run
from napari_c2lst.evaluation.rerunning import plan, rerun
from napari_c2lst.evaluation.settings import EvaluateSettings
from napari_c2lst.expression.predictor import load_predictor
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.spotsets import read_spot_set


def settings(store: Path, out: Path, **values: Any) -> EvaluateSettings:
    given = {
        "slide": store, "out": out, "rerun": True, "device": "cpu", "precision": "fp32", "preset": "small",
        "workers": 1, "fraction": 0.3, "ratio": 2, "draws": 100, "seeds": [0], "splits": ["blocked"],
        "adapt": {"steps": 2, "batch": 4, "genes": 12, "preview_every": 0, "embedding": 4},
        "sample": {"steps": 2},
        "train": {"steps": 3, "batch": 8},
    }  # fmt: skip
    return EvaluateSettings.resolve(**{**given, **values})


def test_every_split_and_seed_has_its_own_models(tmp_path: Path) -> None:
    out = tmp_path / "out"
    repeats = plan(settings(tmp_path, out, splits=["random", "blocked"], seeds=[0, 3]), tmp_path / "s.zarr", out)
    assert [repeat.name for repeat in repeats] == ["random-seed0", "random-seed3", "blocked-seed0", "blocked-seed3"]
    assert len({repeat.adapt.out for repeat in repeats}) == 4
    last = repeats[-1]
    assert (last.select.split, last.select.seed, last.select.fraction) == ("blocked", 3, 0.3)
    assert last.adapt.spots == last.train["real"].spots == last.select.name == "rerun_blocked_seed3"
    assert last.sample.local == last.adapt.out
    assert {task.seed for task in (last.adapt, last.sample, *last.train.values())} == {3}


def test_arms_differ_in_what_they_learn_from_and_in_nothing_else(tmp_path: Path) -> None:
    (repeat,) = plan(settings(tmp_path, tmp_path), tmp_path / "s.zarr", tmp_path)
    assert {arm: task.use for arm, task in repeat.train.items()} == {
        "real": "real", "synthetic": "synthetic", "real+synthetic": "both",
    }  # fmt: skip
    rest = [task.model_dump(exclude={"use", "out"}) for task in repeat.train.values()]
    assert rest[0] == rest[1] == rest[2]
    assert rest[0]["synthetic"] == repeat.sample.out
    assert (rest[0]["steps"], rest[0]["count_as_ratio"]) == (3, 2.0)


def test_settings_of_the_steps_are_passed_through(tmp_path: Path) -> None:
    (repeat,) = plan(settings(tmp_path, tmp_path, central="mine", preset="paper"), tmp_path / "s.zarr", tmp_path)
    assert (repeat.adapt.steps, repeat.adapt.central, repeat.adapt.preset) == (2, "mine", "paper")
    assert (repeat.sample.steps, repeat.sample.ratio, repeat.sample.sampler) == (2, 2, "ddim")


def test_real_alone_needs_no_diffusion(tmp_path: Path) -> None:
    (repeat,) = plan(settings(tmp_path, tmp_path, arms=["real"]), tmp_path / "s.zarr", tmp_path)
    assert (repeat.adapt, repeat.sample) == (None, None)
    assert repeat.train["real"].synthetic is None


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"adapt": {"magic": 1}}, "no setting 'magic'"),
        ({"train": {"seed": 3}}, r"train = \{seed\} are set by evaluate itself"),
        ({"sample": {"out": "x"}}, r"sample = \{out\}"),
        ({"train": {"learning_rate": -1}}, "learning_rate"),
    ],
)
def test_faulty_settings_of_a_step_are_refused_once(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        plan(settings(tmp_path, tmp_path, seeds=[0, 1, 2], **values), tmp_path / "s.zarr", tmp_path)
    assert "things are wrong" not in str(caught.value)  # not once for each seed


def test_faults_are_found_before_the_slide_is_touched(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no setting 'magic'"):
        rerun(settings(tmp_path / "nowhere.zarr", tmp_path / "out", train={"magic": 1}), tmp_path / "out", Reporter())
    assert list(tmp_path.iterdir()) == []


class Stub:
    """Stands for a task: remembers its settings."""

    def __init__(self, name: str, calls: list[str], steps: int = 3) -> None:
        self.name, self.calls, self.steps = name, calls, steps

    def __call__(self, given: Any, reporter: Reporter) -> Any:
        self.calls.append(f"{self.name} {Path(given.out).parent.name}/{Path(given.out).name}")
        reporter.message("working")
        reporter.progress(1, 2, "steps")
        return SimpleNamespace(steps=self.steps + len(self.calls) * (self.name == "uneven"))


def stub_tasks(monkeypatch: pytest.MonkeyPatch, train: str = "train") -> list[str]:
    calls: list[str] = []
    for name in ("adapt", "sample"):
        monkeypatch.setattr(rerunning, name, Stub(name, calls))
    monkeypatch.setattr(rerunning, "train", Stub(train, calls))
    return calls


def test_steps_come_in_order_and_each_says_which_it_is(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = stub_tasks(monkeypatch)
    reporter = RecordingReporter()
    out = tmp_path / "out"
    predictors = rerun(settings(store, out, seeds=[0, 1], arms=["real", "real+synthetic"]), out, reporter)
    one = ["adapt {}/local", "sample {}/pairs", "train {}/real", "train {}/real+synthetic"]
    assert calls == [step.format(f"blocked-seed{seed}") for seed in (0, 1) for step in one]
    assert predictors[-1] == out / "blocked-seed1" / "real+synthetic"
    assert "[1/2 blocked-seed0] adapt: working" in reporter.messages
    assert reporter.of_kind("progress")[-1]["what"] == "[2/2 blocked-seed1] train real+synthetic: steps"
    sets = [read_spot_set(open_slide(store), f"rerun_blocked_seed{seed}") for seed in (0, 1)]
    assert all(spots.how["split"] == "blocked" and spots.left_out.any() for spots in sets)
    assert not np.array_equal(sets[0].mask, sets[1].mask)
    with pytest.raises(MismatchError, match="'rerun_blocked_seed0' made otherwise"):
        rerun(settings(store, out, fraction=0.5), out, reporter)


def test_arms_of_unequal_length_are_never_compared(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stub_tasks(monkeypatch, train="uneven")
    with pytest.raises(MismatchError, match="different numbers of optimiser steps"):
        rerun(settings(store, tmp_path / "out"), tmp_path / "out", Reporter())


def test_the_whole_chain(store: Path, central: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    given = settings(store, out, central=str(central), genes_shown=["GENE00"])
    with pytest.raises(Stopped):  # stopped while it adapts
        run(given, RecordingReporter(stop_after=1))
    result = run(given, Reporter())

    slide = open_slide(store)
    spots = read_spot_set(slide, "rerun_blocked_seed0")
    pairs = load_pairs(out / "blocked-seed0" / "pairs")
    assert set(pairs.facts.training_ids) == set(spots.ids)  # the local model saw no held-out spot
    for arm in ("real", "synthetic", "real+synthetic"):
        facts = load_predictor(out / "blocked-seed0" / arm).facts
        assert (facts.arm, facts.steps, facts.panel) == (arm, 3, pairs.facts.panel)
        assert set(facts.training_ids) == set(spots.ids)
    rows = result.scores.read_text().splitlines()[1:]
    assert [row.split(",")[3] for row in rows] == ["mean", "median", "ridge", "real", "synthetic", "real+synthetic"]
    assert "patches" in [path.stem for path in result.figures]
    assert json.loads((out / "result.json").read_text())["scores"] == str(result.scores)

    before = (out / "blocked-seed0" / "real" / "predictor.safetensors").stat().st_mtime_ns
    monkeypatch.setattr("napari_c2lst.expression.training.fit_predictor", None)  # nothing is trained again
    run(given.model_copy(update={"figures": False, "arms": ["real", "real+synthetic"]}), Reporter())
    assert (out / "blocked-seed0" / "real" / "predictor.safetensors").stat().st_mtime_ns == before


def test_every_fault_of_every_step_is_said_in_one_go(tmp_path: Path) -> None:
    given = settings(tmp_path, tmp_path, splits=["random", "blocked"], adapt={"magic": 1, "steps": -2})
    with pytest.raises(InputError) as caught:
        plan(given, tmp_path / "s.zarr", tmp_path)
    assert "magic" in str(caught.value)
    assert str(caught.value).count("magic") == 1  # both splits have it, it is said once


@pytest.mark.parametrize("name", ["spots", "central", "use", "resume", "preset", "device", "slide", "ratio"])
def test_what_a_repeat_decides_cannot_be_set_for_a_step(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=rf"train = \{{{name}\}} are set by evaluate itself"):
        plan(settings(tmp_path, tmp_path, train={name: "x"}), tmp_path / "s.zarr", tmp_path)


@pytest.mark.parametrize("name", ["workers", "precision"])
def test_how_a_step_is_computed_can_be_set_for_it_alone(tmp_path: Path, name: str) -> None:
    value = {"workers": 3, "precision": "bf16"}[name]
    (repeat,) = plan(settings(tmp_path, tmp_path, train={name: value, "steps": 3}), tmp_path / "s.zarr", tmp_path)
    assert {getattr(task, name) for task in repeat.train.values()} == {value}
    assert getattr(repeat.adapt, name) != value


def test_folders_of_repeats_and_arms_never_meet(tmp_path: Path) -> None:
    repeats = plan(
        settings(tmp_path, tmp_path, splits=["random", "blocked"], seeds=[0, 1]), tmp_path / "s.zarr", tmp_path
    )
    folders = [task.out for r in repeats for task in (r.adapt, r.sample, *r.train.values())]
    assert len(set(folders)) == len(folders) == 4 * 5
    assert all(folder.is_relative_to(tmp_path / r.name) for r in repeats for folder in [r.adapt.out, r.sample.out])
    assert len({r.select.name for r in repeats}) == 4
