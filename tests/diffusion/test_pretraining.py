import json
import re

import numpy as np
import pytest
import torch
from PIL import Image

from napari_c2lst.common.errors import DeviceMemoryError, InputError, Stopped
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.diffusion import pretraining
from napari_c2lst.diffusion.central import load_central
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings
from napari_c2lst.diffusion.pretraining import run


@pytest.fixture(scope="module")
def tile_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiles")
    draw = np.random.default_rng(0)
    for i in range(24):
        small = draw.integers(90, 220, size=(4, 4, 3), dtype=np.uint8)
        Image.fromarray(small).resize((32, 32)).save(folder / f"tile{i:02d}.png")
    return folder


def settings(tile_folder, out, **values):
    base = {
        "tiles": (tile_folder,),
        "preset": "small",
        "device": "cpu",
        "precision": "fp32",
        "stain": "none",
        "patch_px": 16,
        "widths": (8, 16),
        "steps": 10,
        "batch": 4,
        "preview_every": 0,
        "checkpoint_every": 100,
    }
    return PretrainSettings.resolve(out=out, **{**base, **values})


def weights(result):
    return dict(load_central(result.central).net.state_dict())


def test_the_paper_preset_states_the_papers_values():
    s = PretrainSettings.resolve(tiles=("t",), out="o", preset="paper")
    assert s.widths == (64, 128, 256, 512)
    assert (s.steps, s.batch, s.accumulation) == (200_000, 256, 4)
    assert (s.learning_rate, s.weight_decay, s.ema, s.min_snr) == (1e-4, 1e-4, 0.999, 5.0)
    assert s.rate_schedule == "constant"


def test_a_run_writes_a_central_model_with_its_card(tile_folder, tmp_path):
    reporter = RecordingReporter()
    result = run(settings(tile_folder, tmp_path / "run", licence="CC0", data_note="noise"), reporter)
    central = load_central(result.central)
    assert central.content_hash == result.content_hash
    assert central.spec.patch_px == 16
    assert central.facts["tiles"] == 24
    assert "CC0" in (result.central / "README.md").read_text()
    assert len(reporter.of_kind("metrics")) == 10
    assert any(re.fullmatch(r"estimated time: about \d+ (s|min|min \d+ s)", m) for m in reporter.messages)
    assert json.loads((tmp_path / "run" / "result.json").read_text())["steps"] == 10
    assert "c2lst adapt" in result.lines()[-1]


def test_it_learns(tile_folder, tmp_path):
    reporter = RecordingReporter()
    run(settings(tile_folder, tmp_path / "run", steps=60, batch=8, learning_rate=5e-3, prediction="noise"), reporter)
    losses = [m["values"]["loss"] for m in reporter.of_kind("metrics")]
    assert np.mean(losses[-10:]) < 0.7 * np.mean(losses[:5])


def test_ten_steps_are_five_and_five_more_bit_for_bit(tile_folder, tmp_path):
    whole = run(settings(tile_folder, tmp_path / "whole"), RecordingReporter())
    with pytest.raises(Stopped) as stopped:
        run(settings(tile_folder, tmp_path / "parts"), RecordingReporter(stop_after=6))  # one tiles event, five steps
    assert stopped.value.checkpoint.name == "step_00000005"
    assert "--resume auto" in stopped.value.hint
    parts = run(settings(tile_folder, tmp_path / "parts"), RecordingReporter())
    assert parts.content_hash == whole.content_hash
    assert all(torch.equal(a, weights(parts)[k]) for k, a in weights(whole).items())
    assert parts.loss == whole.loss


def test_a_finished_run_is_not_done_again(tile_folder, tmp_path):
    first = run(settings(tile_folder, tmp_path / "run"), RecordingReporter())
    reporter = RecordingReporter()
    assert run(settings(tile_folder, tmp_path / "run"), reporter) == first
    assert reporter.messages == [f"'{tmp_path / 'run'}' is finished already"]


def test_the_model_kept_is_the_average_not_the_last_step(tile_folder, tmp_path):
    slow = run(settings(tile_folder, tmp_path / "slow", ema=0.9), RecordingReporter())
    none = run(settings(tile_folder, tmp_path / "none", ema=0.0), RecordingReporter())
    assert slow.content_hash != none.content_hash


def test_sample_grids_are_written_while_learning(tile_folder, tmp_path):
    reporter = RecordingReporter()
    run(settings(tile_folder, tmp_path / "run", steps=2, preview_every=2), reporter)
    (picture,) = reporter.of_kind("picture")
    assert Image.open(picture["path"]).size[0] > 4 * 16


@pytest.mark.parametrize(
    ("batch", "hint"),
    [
        (4, "use --batch 2 --accumulation 2: the same step, less memory"),
        (1, "use a smaller network (--widths), or --device cpu"),
    ],
)
def test_too_little_memory_says_what_to_take(tile_folder, tmp_path, monkeypatch, batch, hint):
    def fail(self, part, model):
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(pretraining._Trainer, "_loss", fail)
    with pytest.raises(DeviceMemoryError, match=f"batch of {batch}") as caught:
        run(settings(tile_folder, tmp_path / "run", batch=batch), RecordingReporter())
    assert caught.value.hint == hint


def test_missing_tiles_are_named(tmp_path):
    with pytest.raises(InputError, match="no such path: "):
        run(settings(tmp_path / "gone", tmp_path / "run"), RecordingReporter())
    assert not (tmp_path / "run").exists()


def test_an_uncompiled_and_a_compiled_network_are_the_same_model(tile_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(
        torch, "compile", lambda net: net
    )  # a C++ compiler is the user's; that it is used is what counts
    plain = run(settings(tile_folder, tmp_path / "plain"), RecordingReporter())
    compiled = run(settings(tile_folder, tmp_path / "compiled", compile=True), RecordingReporter())
    assert plain.content_hash == compiled.content_hash


def test_speed_is_told_with_every_step(tile_folder, tmp_path):
    reporter = RecordingReporter()
    run(settings(tile_folder, tmp_path / "run", steps=2), reporter)
    assert all(m["values"]["images_per_s"] > 0 for m in reporter.of_kind("metrics"))


def test_accumulated_parts_are_the_whole_batch(tile_folder, tmp_path):
    """Two parts of four have the gradient of their mean: the step is one of eight patches."""
    reporter = RecordingReporter()
    result = run(settings(tile_folder, tmp_path / "run", accumulation=2), reporter)
    assert load_central(result.central).facts["batch"] == 8
