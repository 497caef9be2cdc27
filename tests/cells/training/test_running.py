from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.cells.training.nuclei import FAST, cell_settings, disc_folder, disc_image, write_pngs

from napari_c2lst.cells.network import HoVerNet
from napari_c2lst.cells.training import running
from napari_c2lst.cells.training.layouts import CellImage
from napari_c2lst.cells.training.running import TrainCellsResult, run
from napari_c2lst.cells.weights import load_hovernet, save_hovernet
from napari_c2lst.common.errors import InputError, MismatchError, Stopped
from napari_c2lst.common.reporter import RecordingReporter, Reporter
from napari_c2lst.jobs import api


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return disc_folder(tmp_path_factory.mktemp("discs"), train=1, test=1)


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> TrainCellsResult:
    out = tmp_path_factory.mktemp("runs") / "cells"
    values = {"epochs": (0, 1), "types": ("small", "large"), "licence": "research use", "half": True}
    return run(cell_settings(data, out, **values), RecordingReporter())


def test_weights_say_what_they_are(finished: TrainCellsResult) -> None:
    model = load_hovernet(finished.run)
    assert model.facts.type_names == ("small", "large")
    assert (model.facts.width, model.facts.mpp, model.facts.licence) == (0.0625, 0.25, "research use")
    assert "research use" in model.facts.notice
    assert model.facts.card["scores"] == finished.scores
    assert model.facts.card["steps"] == finished.steps == 2


def test_scores_and_pictures(finished: TrainCellsResult) -> None:
    assert finished.scores["images"] == 1
    assert "f1_large" in finished.scores
    assert (finished.run / "overlays" / "test_0.png").is_file()
    assert "research use" in (finished.run / "README.md").read_text()
    text = "\n".join(finished.lines())
    assert "0.853" in text
    assert f"c2lst cells SLIDE --weights {finished.run}" in text


def test_a_finished_run_is_not_run_again(data: Path, finished: TrainCellsResult) -> None:
    reporter = RecordingReporter()
    again = run(
        cell_settings(data, finished.run, epochs=(0, 1), types=("small", "large"), licence="research use", half=True),
        reporter,
    )
    assert again == finished
    assert "finished already" in reporter.messages[0]


def test_known_types_keep_their_colours(data: Path, tmp_path: Path) -> None:
    result = run(cell_settings(data, tmp_path / "r", epochs=(0, 1), types=("inflammatory", "odd")), Reporter())
    inflammatory, odd = load_hovernet(result.run).facts.types[1:]
    assert inflammatory.colour == (0, 255, 0)
    assert odd.colour not in ((0, 255, 0), (0, 0, 0))


def test_from_python_without_types_or_test(tmp_path: Path) -> None:
    nuclei = disc_image()
    write_pngs(tmp_path / "d", "a", CellImage(nuclei.image, nuclei.instances, None), split="")
    result = api.train_cells(tmp_path / "d", out=tmp_path / "r", **{**FAST, "epochs": (0, 1)})
    assert isinstance(result, TrainCellsResult)
    assert result.scores == {}
    assert load_hovernet(result.run).facts.nr_types is None
    assert "not scored" in "\n".join(result.lines())


def test_a_stopped_run_goes_on_and_ends_the_same(data: Path, tmp_path: Path) -> None:
    whole = run(cell_settings(data, tmp_path / "a"), Reporter())
    with pytest.raises(Stopped, match="stopped after step 2"):
        run(cell_settings(data, tmp_path / "b"), RecordingReporter(stop_after=2))
    result = run(cell_settings(data, tmp_path / "b"), Reporter())
    assert result.scores == whole.scores
    one, two = (load_hovernet(r.run).net.state_dict() for r in (whole, result))
    assert all(np.array_equal(one[k], two[k]) for k in one)


class TestRefused:
    def test_other_images_under_the_same_name(self, tmp_path: Path) -> None:
        folder = disc_folder(tmp_path / "d", train=1, test=0)
        with pytest.raises(Stopped):
            run(cell_settings(folder, tmp_path / "r"), RecordingReporter(stop_after=1))
        write_pngs(folder, "train_0", disc_image(seed=9))
        with pytest.raises(MismatchError, match="images of nuclei"):
            run(cell_settings(folder, tmp_path / "r"), Reporter())

    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"types": ("one",)}, "types up to 2, --types names 1"),
            ({"patch_px": 105}, "--patch-px 105 does not fit"),
            ({"merge": (1,)}, "merge names 1 types"),
            ({"merge": (0, 0)}, "no nucleus has a type: all are 0 / look at the type maps and at --merge"),
            ({"weights": Path("nothing.tar")}, "there are no weights"),
        ],
        ids=["too few names", "size", "merge", "merged away", "weights"],
    )
    def test_before_any_work(self, data: Path, tmp_path: Path, values: dict[str, object], message: str) -> None:
        with pytest.raises(InputError, match=message):
            run(cell_settings(data, tmp_path / "r", **values), Reporter())
        assert not (tmp_path / "r").exists()

    def test_names_without_types(self, tmp_path: Path) -> None:
        nuclei = disc_image()
        write_pngs(tmp_path / "d", "a", CellImage(nuclei.image, nuclei.instances, None))
        with pytest.raises(InputError, match="the data have none"):
            run(cell_settings(tmp_path / "d", tmp_path / "r", types=("a",)), Reporter())

    def test_no_image_to_learn_from(self, tmp_path: Path) -> None:
        disc_folder(tmp_path / "d", train=0, test=1)
        with pytest.raises(InputError, match="no image to learn from"):
            run(cell_settings(tmp_path / "d", tmp_path / "r"), Reporter())

    def test_the_same_images_to_learn_from_and_to_score_on(self, tmp_path: Path) -> None:
        write_pngs(tmp_path / "d", "a", disc_image(), split="")
        with pytest.raises(InputError, match="both learned from and scored on"):
            run(cell_settings(tmp_path / "d", tmp_path / "r", test=(tmp_path / "d",)), Reporter())

    @pytest.mark.parametrize("spelling", ["..", "linked", "absolute"])
    def test_the_same_images_by_another_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spelling: str
    ) -> None:
        """A score on what was learned from is worth nothing, whichever way the folder is written."""
        write_pngs(tmp_path / "d", "a", disc_image(), split="")
        (tmp_path / "linked").symlink_to(tmp_path / "d", target_is_directory=True)
        monkeypatch.chdir(tmp_path)
        again = {"..": Path("linked/../d"), "linked": Path("linked"), "absolute": tmp_path / "d"}[spelling]
        with pytest.raises(InputError, match="1 images are both learned from and scored on"):
            run(cell_settings(Path("d"), tmp_path / "r", test=(again,)), Reporter())
        assert not (tmp_path / "r").exists()


class TestStart:
    def test_weights_of_another_width(self, data: Path, finished: TrainCellsResult, tmp_path: Path) -> None:
        with pytest.raises(MismatchError, match=r"have width 0\.0625, not 0\.125"):
            run(cell_settings(data, tmp_path / "r", weights=finished.run, width=0.125), Reporter())

    def test_weights_of_another_mode(self, data: Path, finished: TrainCellsResult, tmp_path: Path) -> None:
        values = {"weights": finished.run, "mode": "original", "patch_px": 198}
        with pytest.raises(MismatchError, match="mode"):
            run(cell_settings(data, tmp_path / "r", **values), Reporter())

    @pytest.mark.parametrize(
        ("given", "missing"),
        [({}, "--allow-download --accept-licence"), ({"allow_download": True}, "--accept-licence")],
    )
    def test_pannuke_weights_come_when_asked_for(
        self, data: Path, tmp_path: Path, given: dict[str, bool], missing: str
    ) -> None:
        with pytest.raises(InputError, match=r"CC BY-NC-SA 4\.0") as caught:
            run(cell_settings(data, tmp_path / "r", weights=Path("pannuke"), **given), Reporter())
        assert caught.value.hint.endswith(f"add {missing}")
        assert not (tmp_path / "r").exists()

    def test_two_phases_from_given_weights(self, data: Path, finished: TrainCellsResult, tmp_path: Path) -> None:
        model = load_hovernet(finished.run)
        file = save_hovernet(model.net, model.facts, tmp_path / "start.safetensors")
        assert isinstance(model.net, HoVerNet)
        reporter = RecordingReporter()
        result = run(cell_settings(data, tmp_path / "r", epochs=(1, 1), weights=file), reporter)
        assert result.steps == 4
        # the terms of what it starts from are said, and hold for what is made of it
        assert model.facts.notice in reporter.messages
        assert load_hovernet(result.run).facts.licence == "research use"


def test_the_first_phase_without_weights_is_said(data: Path, tmp_path: Path) -> None:
    reporter = RecordingReporter()
    run(cell_settings(data, tmp_path / "r", epochs=(1, 1)), reporter)
    assert any("the encoder learns in the first phase too" in m for m in reporter.messages)


def test_the_run_folder_keeps_the_parts_of_the_loss(finished: TrainCellsResult) -> None:
    events = [json.loads(line) for line in (finished.run / "events.jsonl").read_text().splitlines()]
    metrics = [e["values"] for e in events if e["event"] == "metrics"]
    assert {"np_bce", "np_dice", "hv_mse", "hv_msge", "tp_bce", "tp_dice"} <= metrics[0].keys()


def test_scores_are_computed_in_the_number_format_that_was_asked_for(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def score(net: Any, *_: object) -> dict[str, float]:
        seen.append(net.dtype)
        return {}

    monkeypatch.setattr(running, "score_and_show", score)
    for precision in ("fp32", "bf16"):
        run(cell_settings(data, tmp_path / precision, precision=precision, epochs=(0, 1)), Reporter())
    assert seen == [torch.float32, torch.bfloat16]


def test_a_run_that_died_while_scoring_is_not_trained_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(running, "score_and_show", die)
        with pytest.raises(KeyboardInterrupt):
            run(cell_settings(data, tmp_path / "r", epochs=(0, 1)), Reporter())
    assert not (tmp_path / "r" / "hovernet.safetensors").exists()
    reporter = RecordingReporter()
    result = run(cell_settings(data, tmp_path / "r", epochs=(0, 1)), reporter)
    assert "going on after step 2" in reporter.messages
    assert reporter.of_kind("metrics") == []
    assert result.loss > 0
