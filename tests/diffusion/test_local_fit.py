import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from tests.diffusion.tiny import tiny_central, tiny_modulation, tiny_patches, tiny_targets

from napari_c2lst.common.errors import DeviceMemoryError
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.diffusion.central import CentralModel
from napari_c2lst.diffusion.local_fit import LocalFit, Spots
from napari_c2lst.diffusion.settings import AdaptSettings

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def central() -> CentralModel:
    return tiny_central()


def _settings(**values: Any) -> AdaptSettings:
    base = {"slide": "s", "out": "o", "preset": "small", "steps": 10, "batch": 4, "accumulation": 2}
    return AdaptSettings.resolve(**{**base, **values})


def _fit(central: CentralModel, reporter: RecordingReporter | None = None, **values: Any) -> LocalFit:
    targets = tiny_targets(12)
    spots = Spots(tiny_patches(12), (targets - targets.mean(0)) / targets.std(0))
    settings = _settings(**values)
    dtype = torch.bfloat16 if settings.precision == "bf16" else None
    modulation = tiny_modulation(central, settings.null)
    return LocalFit(central, modulation, spots, settings, CPU, dtype, reporter or RecordingReporter())


def _equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_ten_steps_are_five_and_five_more_bit_for_bit(central: CentralModel, precision: str) -> None:
    whole = _fit(central, precision=precision)
    losses = [whole.step(i) for i in range(10)]
    first = _fit(central, precision=precision)
    resumed = [first.step(i) for i in range(5)]
    state = {name: value.clone() for name, value in first.tensors().items()}
    second = _fit(central, precision=precision)
    second.load(state)
    resumed += [second.step(i) for i in range(5, 10)]
    assert losses == resumed
    assert _equal(whole.tensors(), second.tensors())
    assert _equal(whole.averaged().state_dict(), second.averaged().state_dict())


def test_only_the_modulation_changes(central: CentralModel) -> None:
    before = {name: value.clone() for name, value in central.net.state_dict().items()}
    fit = _fit(central)
    start = {name: value.clone() for name, value in fit.modulation.state_dict().items()}
    for i in range(3):
        fit.step(i)
    assert _equal(before, central.net.state_dict())
    assert all(p.grad is None for p in central.net.parameters())
    assert not any(torch.equal(start[name], value) for name, value in fit.modulation.state_dict().items())


def test_the_loss_falls(central: CentralModel) -> None:
    fit = _fit(central, steps=30, batch=12, accumulation=1, learning_rate=2e-2)

    def loss() -> float:  # on the same noise before and after
        with torch.no_grad():
            return float(torch.stack([fit._loss(fit._batch(number)).mean() for number in range(900, 906)]).mean())

    before = loss()
    for i in range(30):
        fit.step(i)
    assert loss() < 0.985 * before


def test_a_split_batch_gives_the_same_gradients(central: CentralModel) -> None:
    whole, halves = _fit(central), _fit(central)
    halves._rows = 2
    assert whole.step(0) == pytest.approx(halves.step(0), rel=1e-5)
    pairs = zip(whole.modulation.parameters(), halves.modulation.parameters(), strict=True)
    assert all(torch.allclose(a.grad, b.grad, rtol=1e-3, atol=1e-7) for a, b in pairs)  # type: ignore[arg-type]


def test_out_of_memory_halves_the_batch_and_says_so(central: CentralModel, monkeypatch: pytest.MonkeyPatch) -> None:
    reporter = RecordingReporter()
    small, reference = _fit(central, reporter), _fit(central)
    loss = LocalFit._loss

    def short(self: LocalFit, batch: Any) -> torch.Tensor:
        if len(batch.x0) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return loss(self, batch)

    expected = reference.step(0)
    monkeypatch.setattr(LocalFit, "_loss", short)
    assert small.step(0) == pytest.approx(expected, rel=1e-5)
    assert ["out of memory" in text for text in reporter.messages] == [True]
    small.step(1)  # it does not try the larger batch again
    assert len(reporter.messages) == 1


def test_a_device_too_small_for_one_patch_is_a_clear_error(
    central: CentralModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: LocalFit, batch: Any) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(LocalFit, "_loss", never)
    with pytest.raises(DeviceMemoryError):
        _fit(central).step(0)


def test_timing_changes_nothing(central: CentralModel) -> None:
    timed, plain = _fit(central), _fit(central)
    assert timed.seconds_per_step() > 0
    assert all(p.grad is None for p in timed.modulation.parameters())
    timed.step(0)
    plain.step(0)
    assert _equal(timed.tensors(), plain.tensors())


def test_with_the_central_null_dropped_patches_carry_no_gradient(central: CentralModel) -> None:
    fit = _fit(central, null="central")
    batch = fit._batch(0)
    dropped = dataclasses.replace(batch, active=torch.zeros_like(batch.active))
    fit._loss(dropped).sum().backward()
    assert all(p.grad is None or not p.grad.any() for p in fit.modulation.parameters())
    learned = _fit(central, null="learned")
    learned._loss(dropped).sum().backward()
    last = next(iter(learned.modulation.maps.values()))[1]
    assert last.bias.grad.abs().sum() > 0
    assert learned.modulation.project.weight.grad is None or not learned.modulation.project.weight.grad.any()


def test_about_one_patch_in_ten_is_dropped_and_which_depends_on_the_batch_alone(central: CentralModel) -> None:
    fit = _fit(central, batch=12)
    kept = torch.cat([fit._batch(number).active for number in range(60)])
    assert 0.85 < kept.float().mean() < 0.95
    assert torch.equal(fit._batch(7).active, fit._batch(7).active)
    assert torch.equal(fit._batch(7).noise, fit._batch(7).noise)
    assert not torch.equal(fit._batch(7).noise, fit._batch(8).noise)


def test_patches_meet_their_own_expression(central: CentralModel) -> None:
    fit = _fit(central, augment=False)
    batch = fit._batch(3)
    shown = ((batch.x0 + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    for patch, condition in zip(shown, batch.conditions.numpy(), strict=True):
        row = next(i for i in range(12) if np.array_equal(fit._patches[i], patch))
        assert np.array_equal(fit._conditions[row].numpy(), condition)


def test_the_loss_is_weighted_by_min_snr(central: CentralModel) -> None:
    weighted, plain = _fit(central), _fit(central, min_snr=0)
    batch = weighted._batch(0)
    with torch.no_grad():
        factor = weighted._loss(batch) / plain._loss(batch)
    assert torch.allclose(factor, central.schedule.min_snr_weight(batch.t, 5.0), rtol=1e-4)


def test_the_saved_weights_are_the_average(central: CentralModel) -> None:
    fit = _fit(central, ema=0.9)
    expected = [p.detach().clone() for p in fit.modulation.parameters()]
    for i in range(3):
        fit.step(i)
        decay = min(0.9, (1 + i) / (10 + i))
        expected = [
            decay * a + (1 - decay) * p.detach() for a, p in zip(expected, fit.modulation.parameters(), strict=True)
        ]
    averaged = fit.averaged()
    assert all(torch.allclose(a, b, atol=1e-6) for a, b in zip(averaged.parameters(), expected, strict=True))
    assert not any(p.requires_grad for p in averaged.parameters())
