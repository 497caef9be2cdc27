import itertools

import pytest
import torch

from napari_c2lst.common.errors import RunFailure
from napari_c2lst.common.learning import cosine_rate, ema_decay, ema_update, refuse_nan, set_rate, warmup_factor


def test_warmup_rises_linearly_to_one():
    assert [warmup_factor(s, 100, 0.04) for s in range(6)] == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    assert warmup_factor(0, 100, 0.0) == 1.0


def test_cosine_goes_from_first_to_last():
    def rate(step):
        return cosine_rate(step, 201, first=1e-3, last=1e-5, warmup=0.0)

    assert rate(0) == pytest.approx(1e-3)
    assert rate(100) == pytest.approx((1e-3 + 1e-5) / 2)
    assert rate(200) == pytest.approx(1e-5)


def test_cosine_warms_up_first():
    rates = [cosine_rate(s, 100, first=1.0, last=0.0, warmup=0.05) for s in range(100)]
    assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert rates[5] == pytest.approx(1.0)
    assert all(a >= b for a, b in itertools.pairwise(rates[5:]))


def test_set_rate_reaches_every_group():
    a, b = torch.nn.Parameter(torch.ones(1)), torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.AdamW([{"params": [a]}, {"params": [b], "lr": 5.0}], lr=1.0)
    set_rate(optimizer, 0.25)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.25]


def test_ema_is_short_at_the_start():
    assert ema_decay(0, 0.999) == pytest.approx(0.1)
    assert ema_decay(100_000, 0.999) == 0.999


def test_ema_update_moves_in_place():
    average, current = [torch.zeros(3)], [torch.ones(3)]
    ema_update(average, current, 0.9)
    assert torch.allclose(average[0], torch.full((3,), 0.1))


def test_what_is_no_number_never_reaches_the_weights():
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    refuse_nan(0, 0.5, [weight, torch.nn.Parameter(torch.ones(1))])
    with pytest.raises(RunFailure, match="at step 8") as caught:
        refuse_nan(7, float("nan"), [weight])
    assert "--precision fp32" in caught.value.hint
    weight.grad = torch.tensor([1.0, float("inf")])
    with pytest.raises(RunFailure, match="not numbers"):
        refuse_nan(0, 0.5, [weight])


def test_warmup_of_a_short_run_is_at_least_one_step():
    assert warmup_factor(0, 3, 0.03) == 1.0
    assert warmup_factor(0, 10, 1.0) == pytest.approx(0.1)
    assert all(0 < warmup_factor(step, 50, 0.5) <= 1 for step in range(60))


def test_cosine_of_one_step_and_beyond_the_end():
    assert cosine_rate(0, 1, first=1.0, last=0.1, warmup=0.0) == pytest.approx(1.0)
    assert cosine_rate(500, 100, first=1.0, last=0.1, warmup=0.05) == pytest.approx(0.1)


def test_a_decay_of_nothing_follows_at_once():
    average, current = [torch.zeros(2)], [torch.tensor([3.0, 4.0])]
    ema_update(average, current, ema_decay(10, 0.0))
    assert torch.equal(average[0], current[0])


def test_averages_and_weights_must_belong_together():
    with pytest.raises(ValueError, match="zip"):
        ema_update([torch.zeros(1)], [torch.zeros(1), torch.zeros(1)], 0.5)


def test_an_average_keeps_its_precision_and_learns_nothing():
    weight = torch.nn.Parameter(torch.ones(2, dtype=torch.float16))
    average = torch.zeros(2, dtype=torch.float32)
    ema_update([average], [weight], 0.5)
    assert (average.dtype, average.tolist(), average.requires_grad) == (torch.float32, [0.5, 0.5], False)


@pytest.mark.parametrize("loss", [float("inf"), -float("inf")])
def test_an_infinite_loss_is_refused_without_any_gradient(loss):
    with pytest.raises(RunFailure, match="at step 1"):
        refuse_nan(0, loss, [])
