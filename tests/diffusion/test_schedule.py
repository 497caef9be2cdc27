import math

import pytest
import torch

from napari_c2lst.diffusion.schedule import NoiseSchedule, noise_prediction_loss


@pytest.fixture(scope="module")
def schedule():
    return NoiseSchedule()


def test_the_schedule_is_the_cosine_over_a_thousand_steps(schedule):
    assert len(schedule) == 1000
    assert schedule.config["beta_schedule"] == "squaredcos_cap_v2"

    def f(u):
        return math.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2

    for t in (0, 250, 500, 900):
        assert schedule.alphas_cumprod[t].item() == pytest.approx(f((t + 1) / 1000) / f(0), rel=1e-3)


def test_noise_is_added_as_in_eq_2(schedule):
    x0, noise, t = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4), torch.tensor([10, 700])
    a = schedule.alphas_cumprod[t].view(2, 1, 1, 1)
    assert torch.allclose(schedule.add_noise(x0, noise, t), a.sqrt() * x0 + (1 - a).sqrt() * noise)


def test_noisy_patches_equal_diffusers_own(schedule):
    x0, noise, t = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4), torch.tensor([3, 400])
    assert torch.allclose(schedule.add_noise(x0, noise, t), schedule.scheduler.add_noise(x0, noise, t), atol=1e-6)


def test_min_snr_weight_by_hand(schedule):
    t = torch.tensor([0, 500, 999])
    a = schedule.alphas_cumprod[t]
    snr = a / (1 - a)
    expected = [min(s, 5.0) / s for s in snr.tolist()]
    assert schedule.min_snr_weight(t, 5.0).tolist() == pytest.approx(expected)
    assert expected[0] < 0.01
    assert expected[2] == 1.0


def test_the_loss_is_the_weighted_mean_square_of_each_patch(schedule):
    predicted, noise, t = torch.zeros(2, 3, 4, 4), torch.full((2, 3, 4, 4), 2.0), torch.tensor([999, 0])
    loss = noise_prediction_loss(predicted, noise, t, schedule, 5.0)
    assert loss.tolist() == pytest.approx((4.0 * schedule.min_snr_weight(t, 5.0)).tolist())
