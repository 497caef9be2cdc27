"""`--preset paper` is the paper where it states a value: read off the objects that do the work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.diffusion.tiny import tiny_central

from napari_c2lst.common.learning import ema_decay, warmup_factor
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.diffusion import pretraining
from napari_c2lst.diffusion.local_fit import LocalFit, Spots
from napari_c2lst.diffusion.modulation import Modulation, norm_channels
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings
from napari_c2lst.diffusion.sampling import plan_of
from napari_c2lst.diffusion.schedule import NoiseSchedule
from napari_c2lst.diffusion.settings import AdaptSettings, SampleSettings
from napari_c2lst.diffusion.solvers import timesteps
from napari_c2lst.diffusion.unet import count_parameters


@pytest.fixture(scope="module")
def trainer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What `c2lst pretrain --preset paper` has built just before its first step."""
    folder = tmp_path_factory.mktemp("paper")
    (folder / "tiles").mkdir()
    draw = np.random.default_rng(0)
    for i in range(4):
        Image.fromarray(draw.integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(folder / "tiles" / f"{i}.png")
    built: list[Any] = []

    class FirstStepError(Exception):
        pass

    def catch(self: Any) -> None:
        built.append(self)
        raise FirstStepError

    settings = PretrainSettings.resolve(
        tiles=(folder / "tiles",), out=folder / "run", preset="paper", device="cpu", stain="none", held_out=0.0
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pretraining._Trainer, "train", catch)
        with pytest.raises(FirstStepError):
            pretraining.run(settings, Reporter())
    return built[0]


def test_the_network_has_the_papers_widths_and_no_genes(trainer: Any) -> None:
    config = trainer.net.unet.config
    assert tuple(config["block_out_channels"]) == (64, 128, 256, 512)  # base 64, multipliers 1, 2, 4, 8
    assert (config["in_channels"], config["out_channels"]) == (3, 3)
    assert config["num_class_embeds"] is None
    assert 20e6 < count_parameters(trainer.net) < 100e6


def test_the_network_predicts_noise_over_a_thousand_steps(trainer: Any) -> None:
    assert trainer.schedule.velocity_alphas is None
    assert len(trainer.schedule) == 1000


def test_the_optimiser_is_the_papers(trainer: Any) -> None:
    (group,) = trainer.optimizer.optimizer.param_groups
    assert isinstance(trainer.optimizer.optimizer, torch.optim.AdamW)
    assert (group["lr"], group["weight_decay"]) == (1e-4, 1e-4)
    assert warmup_factor(0, trainer.settings.steps, trainer.settings.warmup) == 1


def test_a_step_is_256_patches_four_times_and_the_average_is_slow(trainer: Any) -> None:
    assert (trainer.settings.batch, trainer.settings.accumulation, trainer.settings.steps) == (256, 4, 200_000)
    assert ema_decay(100_000, trainer.settings.ema) == 0.999


def test_the_loss_is_cut_at_a_snr_of_five(trainer: Any) -> None:
    schedule, t = trainer.schedule, torch.arange(1000)
    weight = schedule.min_snr_weight(t, trainer.settings.min_snr)
    snr = schedule.snr(t)
    torch.testing.assert_close(weight, torch.minimum(snr, torch.tensor(5.0)) / snr)


def test_adaptation_learns_with_the_papers_optimiser_the_projection_and_the_maps_alone() -> None:
    settings = AdaptSettings.resolve(slide="s.zarr", out="o", preset="paper", device="cpu")
    central = tiny_central()
    modulation = Modulation(6, settings.embedding, norm_channels(central.net, settings.blocks), settings.null)
    spots = Spots(np.zeros((4, 16, 16, 3), np.uint8), np.zeros((4, 6), np.float32))
    fit = LocalFit(central, modulation, spots, settings, torch.device("cpu"), None, Reporter())
    (group,) = fit._optimizer.param_groups
    assert isinstance(fit._optimizer, torch.optim.AdamW)
    assert (group["lr"], group["weight_decay"]) == (1e-3, 1e-4)
    assert {id(p) for p in group["params"]} == {id(p) for p in modulation.parameters()}
    assert not any(p.requires_grad for p in central.net.parameters())
    assert (settings.steps, settings.batch, settings.accumulation, settings.genes) == (10_000, 32, 8, 250)
    assert warmup_factor(149, settings.steps, settings.warmup) == pytest.approx(0.5)  # 3 % = 300 steps
    assert warmup_factor(300, settings.steps, settings.warmup) == 1
    assert ema_decay(9_000, settings.ema) == 0.999


def test_conditions_are_dropped_for_a_tenth_of_the_patches() -> None:
    settings = AdaptSettings.resolve(slide="s.zarr", out="o", preset="paper", device="cpu", batch=1000)
    central = tiny_central()
    modulation = Modulation(6, 8, norm_channels(central.net, "all"), "learned")
    spots = Spots(np.zeros((4, 16, 16, 3), np.uint8), np.zeros((4, 6), np.float32))
    fit = LocalFit(central, modulation, spots, settings, torch.device("cpu"), None, Reporter())
    dropped = [1 - fit._batch(number).active.float().mean().item() for number in range(10)]
    assert np.mean(dropped) == pytest.approx(0.1, abs=0.01)


def test_sampling_is_ddim_in_250_even_steps_with_guidance_three_everywhere() -> None:
    plan = plan_of(SampleSettings.resolve(slide="s.zarr", local="l", out="o", preset="paper", device="cpu"))
    schedule = NoiseSchedule()
    assert (plan.sampler, plan.steps, plan.eta, plan.guidance.scale) == ("ddim", 250, 0.0, 3.0)
    steps = timesteps(plan, schedule)
    assert len(steps) == 250
    assert set(np.diff(steps)) == {-4}
    assert all(plan.guidance.acts(t) for t in steps)
    assert plan.evaluations(schedule) == 500


def test_the_papers_ratio_is_ten(tmp_path: Path) -> None:
    assert SampleSettings.resolve(slide="s", local="l", out=tmp_path, preset="paper", device="cpu").ratio == 10
