from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from napari_c2lst.common.environment import this_machine
from napari_c2lst.jobs.estimating import Amounts, Estimate, estimate
from napari_c2lst.jobs.pace import Pace, Timed
from napari_c2lst.jobs.tasks import get_task

AMOUNTS = Amounts(283, {"train": 71, "half": 142})


def settings_of(task: str, **explicit: Any) -> dict[str, Any]:
    given = {"slide": "slide.zarr", "device": "cpu", **explicit}
    if "out" in get_task(task).settings_class().model_fields:
        given = {"out": "run", **given}
    return get_task(task).settings_class().resolve(**given).model_dump(mode="json")


def timed(task: str, result: dict[str, Any] | None = None, *, folder: Path | None = None, **explicit: Any) -> Timed:
    """Work that took 10 s and 100 s of counted work."""
    return Timed(
        task, "before", settings_of(task, **explicit), result or {}, this_machine(), Pace(10.0, 100.0), folder=folder
    )


def seconds(task: str, before: Timed, **explicit: Any) -> float | None:
    found = estimate(task, settings_of(task, **explicit), [before], AMOUNTS)
    return None if found is None else round(found.seconds, 3)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A local model of 71 spots, pairs from it, and predictors, as they lie on disk."""

    def put(name: str, task: str, result: dict[str, Any], **explicit: Any) -> None:
        folder = tmp_path / name
        folder.mkdir()
        settings = {key: value for key, value in settings_of(task, **explicit).items() if value is not None}
        (folder / "config.toml").write_text(tomli_w.dumps({"kind": task, "settings": settings}))
        (folder / "result.json").write_text(json.dumps(result))

    put("local", "adapt", {"spots": 71, "steps": 300})
    put("local-other", "adapt", {"spots": 71, "steps": 300}, central="other")
    put("pairs", "sample", {"patches": 355}, local=str(tmp_path / "local"))
    put("real", "train", {"n_real": 71, "steps": 600}, network="small")
    put("deep", "train", {"n_real": 71, "steps": 600}, network="resnet50")
    return tmp_path


class TestAdapt:
    before = timed("adapt", preset="small", steps=300, batch=32)

    def test_twice_the_steps_take_twice_the_work(self) -> None:
        assert seconds("adapt", self.before, preset="small", steps=300) == 110
        assert seconds("adapt", self.before, preset="small", steps=600) == 210
        assert seconds("adapt", self.before, preset="small", steps=300, accumulation=4) == 410

    @pytest.mark.parametrize("other", [{"central": "mine"}, {"embedding": 128}, {"precision": "bf16"}, {"batch": 8}])
    def test_other_networks_are_not_comparable(self, other: dict[str, Any]) -> None:
        assert seconds("adapt", self.before, preset="small", **other) is None

    def test_learning_rate_and_seed_cost_nothing(self) -> None:
        assert seconds("adapt", self.before, preset="small", learning_rate=0.1, seed=5, spots="half") == 110

    @pytest.mark.parametrize("other", [{"cpus": 4096}, {"system": "Plan 9"}])
    def test_another_machine_says_nothing(self, other: dict[str, Any]) -> None:
        there = Timed("adapt", "b", self.before.settings, {}, {**this_machine(), **other}, self.before.pace)
        assert seconds("adapt", there, preset="small") is None

    def test_auto_meant_the_accelerator_that_the_run_had(self) -> None:
        auto = settings_of("adapt", preset="small") | {"device": "auto"}
        there = Timed("adapt", "b", auto, {}, {**this_machine(), "accelerator": "cuda"}, self.before.pace)
        here = Timed("adapt", "b", auto, {}, {**this_machine(), "accelerator": "cpu"}, self.before.pace)
        assert seconds("adapt", there, preset="small") is None
        assert seconds("adapt", here, preset="small") == 110

    def test_the_newest_that_is_comparable_counts(self) -> None:
        other = timed("adapt", preset="small", central="mine")
        slow = Timed("adapt", "slow", self.before.settings, {}, this_machine(), Pace(0.0, 900.0))
        found = estimate("adapt", settings_of("adapt", preset="small"), [other, slow, self.before], AMOUNTS)
        assert found is not None
        assert (found.seconds, found.of.name) == (900.0, "slow")


class TestSample:
    def test_patches_and_evaluations_of_the_network(self, runs: Path) -> None:
        how = {"local": str(runs / "local"), "preset": "small", "sampler": "ddim", "guidance_low": 0.0}
        before = timed("sample", {"patches": 71}, **how, guidance_high=1.0, steps=20, ratio=1)
        assert seconds("sample", before, **how, guidance_high=1.0, steps=20, ratio=1) == 110
        assert seconds("sample", before, **how, guidance_high=1.0, steps=20, ratio=5) == 510
        assert seconds("sample", before, **how, guidance_high=1.0, steps=10, ratio=1) == 60
        # without guidance the network is evaluated once a step, not twice
        assert seconds("sample", before, **how, guidance_high=1.0, steps=20, ratio=1, guidance=1.0) == 60

    def test_another_central_model_is_another_network(self, runs: Path) -> None:
        before = timed("sample", {"patches": 71}, local=str(runs / "local"), preset="small")
        assert seconds("sample", before, local=str(runs / "local-other"), preset="small") is None

    def test_a_local_model_that_is_gone_leaves_it_open(self, runs: Path) -> None:
        before = timed("sample", {"patches": 71}, local=str(runs / "local"), preset="small")
        assert seconds("sample", before, local=str(runs / "none"), preset="small") is None

    def test_a_path_of_the_command_line_is_found_by_its_name(self, runs: Path) -> None:
        before = timed("sample", {"patches": 355}, folder=runs, local="elsewhere/local", preset="small")
        assert seconds("sample", before, local=str(runs / "local" / "local.safetensors"), preset="small") == 110


class TestTrain:
    def test_epochs_are_counted_as_training_counts_them(self) -> None:
        # 71 spots counted 11 times: 781 patches, 25 batches of 32, 4 epochs
        before = timed("train", {"steps": 50}, preset="paper", steps=50)
        assert seconds("train", before, preset="paper", epochs=4) == 210
        assert seconds("train", before, preset="paper", steps=25) == 60

    def test_a_set_that_is_not_there_leaves_it_open(self) -> None:
        before = timed("train", {"steps": 50}, preset="paper", steps=50)
        assert seconds("train", before, preset="paper", spots="gone") is None

    def test_pairs_and_real_spots_of_one_central_model_are_alike(self, runs: Path) -> None:
        before = timed("train", {"steps": 600}, preset="small")
        assert seconds("train", before, preset="small", synthetic=str(runs / "pairs")) == 110
        assert seconds("train", before, preset="small", network="resnet50") is None


class TestPredict:
    def test_spots_flips_and_networks(self, runs: Path) -> None:
        before = timed("predict", {"n_spots": 212, "n_grid": 0}, predictor=str(runs / "real"))
        assert seconds("predict", before, predictor=str(runs / "real")) == 110
        assert seconds("predict", before, predictor=str(runs / "real"), tta=True) == 810
        assert seconds("predict", before, predictor=str(runs / "real"), spots="all") == pytest.approx(143.491)
        assert seconds("predict", before, predictor=str(runs / "deep")) is None

    def test_a_grid_that_was_never_counted_is_not_guessed(self, runs: Path) -> None:
        before = timed("predict", {"n_spots": 212, "n_grid": 0}, predictor=str(runs / "real"))
        assert seconds("predict", before, predictor=str(runs / "real"), where="grid") is None

    def test_half_the_spacing_makes_four_times_the_positions(self, runs: Path) -> None:
        before = timed("predict", {"n_spots": 0, "n_grid": 500}, predictor=str(runs / "real"), where="grid")
        assert seconds("predict", before, predictor=str(runs / "real"), where="grid", stride_um=28.0) == 410


def test_evaluating_is_known_for_as_much_as_was_evaluated(runs: Path) -> None:
    one, two = [str(runs / "real")], [str(runs / "real"), str(runs / "deep")]
    before = timed("evaluate", predictors=one)
    assert seconds("evaluate", before, predictors=one) == 110
    assert seconds("evaluate", before, predictors=two) is None
    assert seconds("evaluate", before, predictors=one, figures=False) is None
    assert seconds("evaluate", before, rerun=True) is None


def test_repeats_of_the_chain_are_counted() -> None:
    before = timed("evaluate", rerun=True, splits=["random"], seeds=[0])
    assert seconds("evaluate", before, rerun=True, splits=["random", "blocked"], seeds=[0, 1]) == 410
    assert seconds("evaluate", before, rerun=True, splits=["random"], seeds=[0], train={"steps": 9}) is None


def test_cells_take_as_long_on_the_same_slide_only() -> None:
    before = timed("cells", {"tiles": 40})
    assert seconds("cells", before, name="again") == 110
    assert seconds("cells", before, slide="other.zarr") is None
    assert seconds("cells", before, weights="pannuke") is None


def test_nothing_measured_gives_no_estimate() -> None:
    assert estimate("adapt", settings_of("adapt"), [], AMOUNTS) is None
    assert estimate("convert", {}, [timed("adapt")], AMOUNTS) is None


def test_settings_of_an_older_version_are_not_comparable() -> None:
    old = Timed("adapt", "old", {"central": "embedded"}, {}, this_machine(), Pace(1.0, 1.0))
    assert estimate("adapt", settings_of("adapt"), [old], AMOUNTS) is None


@pytest.mark.parametrize(
    ("length", "words"),
    [(0.5, "about 5 s"), (41, "about 45 s"), (82, "about 85 s"), (131, "about 3 min"), (3000, "about 50 min")],
)
def test_words(length: float, words: str) -> None:
    assert Estimate(length, timed("adapt")).words() == f"{words}, as your last run went"


def test_what_it_rests_on() -> None:
    assert Estimate(1.0, timed("adapt")).basis() == "Run 'before' took 1 min 50 s on this computer."
    unnamed = Timed("cells", "", {}, {}, {}, Pace(0.0, 30.0))
    assert Estimate(1.0, unnamed).basis() == "The last time took 30 s on this computer."


def test_it_needs_no_torch() -> None:
    code = "import sys; import napari_c2lst.jobs.estimating; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


class TestWhatCannotBeTold:
    before = timed("adapt", preset="small", steps=300, batch=32)

    def test_work_that_counted_nothing_is_passed_over(self) -> None:
        none = timed("train", {"steps": 0}, preset="paper", steps=50)
        some = timed("train", {"steps": 50}, preset="paper", steps=50)
        found = estimate("train", settings_of("train", preset="paper", steps=50), [none, some], AMOUNTS)
        assert found is not None
        assert found.of is some

    def test_a_result_without_its_counts_gives_way_to_the_next(self) -> None:
        bare = timed("train", {}, preset="paper", steps=50)
        some = timed("train", {"steps": 100}, preset="paper", steps=100)
        found = estimate("train", settings_of("train", preset="paper", steps=50), [bare, some], AMOUNTS)
        assert found is not None
        assert found.seconds == 60

    @pytest.mark.parametrize("machine", [{}, {"system": this_machine()["system"]}, {"cpus": this_machine()["cpus"]}])
    def test_a_machine_that_is_half_known_is_another(self, machine: dict[str, Any]) -> None:
        there = Timed("adapt", "b", self.before.settings, {}, machine, self.before.pace)
        assert seconds("adapt", there, preset="small") is None

    @pytest.mark.parametrize("batch", [None, "many", -8])
    def test_settings_that_mean_nothing_yet(self, batch: object) -> None:
        half_typed = settings_of("adapt", preset="small") | {"batch": batch}
        before = Timed("adapt", "b", self.before.settings | {"batch": batch}, {}, this_machine(), self.before.pace)
        assert estimate("adapt", half_typed, [before], AMOUNTS) is None

    def test_a_slide_without_spots_has_none_to_predict(self, runs: Path) -> None:
        before = timed("predict", {"n_spots": 212, "n_grid": 0}, predictor=str(runs / "real"))
        settings = settings_of("predict", predictor=str(runs / "real"), spots="all")
        assert estimate("predict", settings, [before], Amounts()) is None


def test_spots_and_grid_of_one_prediction_add_up(runs: Path) -> None:
    before = timed("predict", {"n_spots": 212, "n_grid": 212}, predictor=str(runs / "real"), where="both")
    assert seconds("predict", before, predictor=str(runs / "real"), where="both") == 110
    assert seconds("predict", before, predictor=str(runs / "real"), where="spots") == 60
    # half the spacing: 848 positions instead of 212, and the same spots
    assert seconds("predict", before, predictor=str(runs / "real"), where="both", stride_um=28.0) == 260


@pytest.mark.parametrize(("length", "words"), [(119.9, "120 s"), (120, "2 min"), (0, "5 s"), (5.01, "10 s")])
def test_seconds_become_minutes_from_two_on(length: float, words: str) -> None:
    assert Estimate(length, timed("adapt")).words().startswith(f"about {words},")
