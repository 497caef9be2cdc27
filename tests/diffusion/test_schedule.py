import math

import pytest
import torch

from napari_c2lst.diffusion.schedule import VELOCITY, NoiseSchedule, noise_prediction_loss


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


def test_patches_fade_and_never_come_back(schedule):
    a = schedule.alphas_cumprod
    assert a.dtype == torch.float32
    assert a.shape == (1000,)
    assert (a.diff() < 0).all()
    assert a[0] > 0.999
    assert 0 < a[-1] < 1e-4


def test_noise_keeps_the_spread_of_a_standardised_patch(schedule):
    draw = torch.Generator().manual_seed(0)
    x0, noise = (torch.randn(4, 3, 64, 64, generator=draw) for _ in range(2))
    noisy = schedule.add_noise(x0, noise, torch.tensor([0, 300, 700, 999]))
    assert noisy.std(dim=(1, 2, 3)).tolist() == pytest.approx([1.0] * 4, abs=0.03)


def test_signal_to_noise_is_the_ratio_of_the_parts(schedule):
    t = torch.tensor([10, 500, 990])
    a = schedule.alphas_cumprod[t]
    assert torch.allclose(schedule.snr(t), a / (1 - a))
    assert (schedule.snr(t).diff() < 0).all()


def test_an_infinite_gamma_is_no_weight_at_all(schedule):
    t = torch.arange(0, 1000, 111)
    assert schedule.min_snr_weight(t, float("inf")).tolist() == pytest.approx([1.0] * len(t))
    assert (schedule.min_snr_weight(t, 1.0) <= schedule.min_snr_weight(t, 5.0)).all()


def test_what_the_network_predicts_is_kept_in_the_configuration():
    noise, velocity = NoiseSchedule(), NoiseSchedule(prediction=VELOCITY)
    assert noise.velocity_alphas is None
    assert torch.equal(velocity.velocity_alphas, velocity.alphas_cumprod)
    assert torch.equal(velocity.alphas_cumprod, noise.alphas_cumprod)
    assert (noise.config["prediction_type"], velocity.config["prediction_type"]) == ("epsilon", "v_prediction")


def test_a_scheduler_of_another_length_is_taken_as_it_is():
    from diffusers.schedulers.scheduling_ddpm import DDPMScheduler

    short = NoiseSchedule(DDPMScheduler(num_train_timesteps=50, beta_schedule="linear"))
    assert len(short) == 50
    assert short.config["beta_schedule"] == "linear"


def test_the_loss_of_half_precision_is_computed_in_full(schedule):
    predicted, noise = torch.full((1, 3, 8, 8), 300.0, dtype=torch.float16), torch.zeros(1, 3, 8, 8)
    loss = noise_prediction_loss(predicted, noise, torch.tensor([999]), schedule, 5.0)
    assert loss.item() == pytest.approx(90_000)  # more than float16 can hold
    assert loss.dtype == torch.float32
