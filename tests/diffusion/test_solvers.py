import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.seeds import torch_generator
from napari_c2lst.diffusion.guidance import Guidance
from napari_c2lst.diffusion.schedule import NoiseSchedule
from napari_c2lst.diffusion.solvers import LAMBDA_MIN, SamplingPlan, denoise, image_noise, timesteps

SCHEDULE = NoiseSchedule()
MEAN, SPREAD = 0.3, 0.1


class GaussianBranches:
    """The exact noise prediction when the data are N(MEAN, SPREAD^2): samplers must give that back."""

    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift
        self.calls: list[tuple[str, int]] = []

    def _noise(self, x: Tensor, t: Tensor, mean: float) -> Tensor:
        a = SCHEDULE.alphas_cumprod[t][:, None, None, None]
        return (1 - a).sqrt() * (x - a.sqrt() * mean) / (a * SPREAD**2 + 1 - a)

    def conditional(self, x: Tensor, t: Tensor) -> Tensor:
        self.calls.append(("conditional", int(t[0])))
        return self._noise(x, t, MEAN)

    def both(self, x: Tensor, t: Tensor) -> tuple[Tensor, Tensor]:
        self.calls.append(("both", int(t[0])))
        return self._noise(x, t, MEAN), self._noise(x, t, MEAN - self.shift)


def _noise(n: int = 64, px: int = 8) -> Tensor:
    return torch.randn(n, 3, px, px, generator=torch.Generator().manual_seed(0))


def _plan(sampler: str, steps: int, **more: Any) -> SamplingPlan:
    eta, spacing = more.pop("eta", 0.0), more.pop("spacing", "auto")
    return SamplingPlan(sampler, steps, Guidance(**{"scale": 1.0, **more}), eta, spacing)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sampler", "steps", "eta"),
    [("ddim", 250, 0.0), ("ddim", 1000, 1.0), ("ddim", 500, 0.5), ("dpm++2m", 20, 0), ("unipc", 20, 0)],
)
def test_a_known_distribution_comes_back(sampler: str, steps: int, eta: float) -> None:
    generators = [torch_generator(0, i) for i in range(64)]
    out = denoise(_noise(), GaussianBranches(), SCHEDULE, _plan(sampler, steps, eta=eta), generators)
    assert abs(out.mean() - MEAN) < 0.01
    assert abs(out.std() - SPREAD) < 0.005


@pytest.mark.parametrize("sampler", ["dpm++2m", "unipc"])
def test_fast_samplers_end_where_ddim_ends(sampler: str) -> None:
    slow, paper, fast, even = (
        denoise(_noise(), GaussianBranches(), SCHEDULE, plan)
        for plan in (
            _plan("ddim", 1000),
            _plan("ddim", 250),
            _plan(sampler, 20),
            _plan(sampler, 20, spacing="even"),
        )
    )
    assert (slow - fast).abs().mean() < 0.004
    assert (slow - paper).abs().mean() < 0.004
    assert (slow - even).abs().mean() > 0.015  # texture is lost in the last jump: why steps are not even


def test_ddim_is_diffusers_ddim_with_clipping() -> None:
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    theirs = DDIMScheduler.from_config(SCHEDULE.config, timestep_spacing="trailing", clip_sample=True)
    theirs.set_timesteps(50)
    assert timesteps(_plan("ddim", 50), SCHEDULE) == theirs.timesteps.tolist()
    branches, x = GaussianBranches(), _noise(4)
    ours = denoise(x, branches, SCHEDULE, _plan("ddim", 50))
    for t in theirs.timesteps:
        eps = branches.conditional(x, t.repeat(4))
        x = theirs.step(eps, int(t), x, use_clipped_model_output=True).prev_sample
    assert torch.allclose(ours, x, atol=1e-4)


def test_dpm_solver_is_diffusers_with_lambda_and_x0_clipped() -> None:
    from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler

    theirs = DPMSolverMultistepScheduler.from_config(
        SCHEDULE.config, lambda_min_clipped=LAMBDA_MIN, thresholding=True, sample_max_value=1.0
    )
    theirs.set_timesteps(20)
    plan = _plan("dpm++2m", 20, spacing="even")
    assert timesteps(plan, SCHEDULE) == theirs.timesteps.tolist()
    branches, x = GaussianBranches(), _noise(4)
    ours = denoise(x, branches, SCHEDULE, plan)
    for t in theirs.timesteps:
        x = theirs.step(branches.conditional(x, t.repeat(4)), t, x).prev_sample
    assert torch.allclose(ours, x, atol=1e-4)


@pytest.mark.parametrize("sampler", ["ddim", "dpm++2m", "unipc"])
@pytest.mark.parametrize("steps", [2, 3, 20, 250, 1000])
@pytest.mark.parametrize("spacing", ["even", "logsnr"])
def test_time_steps_fall_from_noise_to_patch(sampler: str, steps: int, spacing: str) -> None:
    found = timesteps(_plan(sampler, steps, spacing=spacing), SCHEDULE)
    assert len(found) == steps
    assert all(a > b for a, b in itertools.pairwise(found))
    assert found[-1] >= 0
    a = SCHEDULE.alphas_cumprod.double()[found]
    if sampler == "ddim" and spacing == "even":
        assert found[0] == 999
    elif steps < 1000:
        assert (0.5 * torch.log(a / (1 - a))).min() >= LAMBDA_MIN
        assert found[0] > 980 or steps < 20


def test_steps_even_in_log_snr_are() -> None:
    a = SCHEDULE.alphas_cumprod.double()[timesteps(_plan("dpm++2m", 10), SCHEDULE)]
    gaps = -torch.diff(0.5 * torch.log((1 - a) / a))
    assert gaps.std() < 0.05 * gaps.mean()


def test_both_branches_run_only_inside_the_interval() -> None:
    branches = GaussianBranches()
    plan = _plan("dpm++2m", 20, scale=3.0, low=0.25, high=0.75)
    denoise(_noise(2), branches, SCHEDULE, plan)
    assert all((kind == "both") == (0.25 <= t / 999 <= 0.75) for kind, t in branches.calls)
    both = sum(kind == "both" for kind, _ in branches.calls)
    assert 4 <= both <= 9
    assert plan.evaluations(SCHEDULE) == 20 + both


def test_the_evaluations_of_the_paper_and_of_the_fast_sampler() -> None:
    assert _plan("ddim", 250, scale=3.0).evaluations(SCHEDULE) == 500
    assert _plan("dpm++2m", 20, scale=3.0).evaluations(SCHEDULE) == 40
    assert _plan("dpm++2m", 20).evaluations(SCHEDULE) == 20


def test_guidance_leads_away_from_the_unconditional_mean_and_rescaling_takes_it_back() -> None:
    def mean(**more: float) -> float:
        return float(denoise(_noise(), GaussianBranches(shift=0.1), SCHEDULE, _plan("dpm++2m", 20, **more)).mean())

    plain, guided, rescaled = mean(), mean(scale=3.0), mean(scale=3.0, rescale=1.0)
    assert guided > plain + 0.1
    assert abs(rescaled - plain) < 0.02
    assert plain < mean(scale=3.0, low=0.3) < guided


@pytest.mark.parametrize("sampler", ["ddim", "dpm++2m", "unipc"])
def test_patches_stay_in_range_however_wild_the_network(sampler: str) -> None:
    class Wild(GaussianBranches):
        def conditional(self, x: Tensor, t: Tensor) -> Tensor:
            return 50 * torch.ones_like(x)

    out = denoise(_noise(2), Wild(), SCHEDULE, _plan(sampler, 10))
    assert torch.isfinite(out).all()
    assert out.abs().max() <= 1


def test_noise_is_each_patch_own() -> None:
    def draw(indices: list[int]) -> np.ndarray:
        return image_noise([torch_generator(7, i) for i in indices], (3, 4, 4), torch.device("cpu")).numpy()

    assert np.array_equal(draw([0, 1, 2])[2], draw([2])[0])
    assert not np.array_equal(draw([0]), draw([1]))


@pytest.mark.parametrize("sampler", ["ddim", "dpm++2m"])
def test_more_steps_than_the_model_was_trained_on_are_refused(sampler: str) -> None:
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

    short = NoiseSchedule(DDPMScheduler(num_train_timesteps=50, beta_schedule="squaredcos_cap_v2"))
    assert timesteps(_plan(sampler, 50), short) == list(range(49, -1, -1))
    with pytest.raises(InputError, match="51 steps are more than the 50") as caught:
        _plan(sampler, 51).evaluations(short)
    assert "--steps" in caught.value.hint
