from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_c2lst.common.seeds import rng
from napari_c2lst.expression.augment import TURNS, Draws, augment, draw, turn, turned


def draws(n: int, **values: float) -> Draws:
    """Draws that do nothing, but for the given values."""
    ones = {name: np.ones(n, np.float32) for name in ("brightness", "contrast", "saturation")}
    ones.update({name: np.full(n, v, np.float32) for name, v in values.items() if name != "turn"})
    return Draws(np.full(n, int(values.get("turn", 0))), **ones)


def patches(n: int = 4, px: int = 6) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (n, 3, px, px), dtype=np.uint8))


def test_nothing_drawn_changes_nothing() -> None:
    x = patches()
    torch.testing.assert_close(augment(x, draws(4)), x.float(), atol=1e-3, rtol=0)


def test_the_eight_turns_are_the_symmetries_of_the_square() -> None:
    x = patches(1)[0].permute(1, 2, 0).numpy()
    wanted = [np.rot90(side, k) for side in (x, x[::-1]) for k in range(4)]
    got = [turn(patches(1), torch.tensor([t]))[0].permute(1, 2, 0).numpy() for t in range(TURNS)]
    assert len({g.tobytes() for g in got}) == 8
    assert {g.tobytes() for g in got} == {np.ascontiguousarray(w).tobytes() for w in wanted}


@pytest.mark.parametrize("by", range(TURNS))
def test_all_patches_turned_alike_are_each_turned_so(by: int) -> None:
    x = patches(3)
    assert torch.equal(turned(x, by), turn(x, torch.full((3,), by)))


def test_each_patch_has_its_own_turn() -> None:
    x = patches(3)
    out = turn(x, torch.tensor([0, 1, 4]))
    assert torch.equal(out[0], x[0])
    assert torch.equal(out[1], x[1].flip(1))
    assert torch.equal(out[2], x[2].transpose(1, 2))


def test_brightness_multiplies() -> None:
    x = (patches() / 2).to(torch.uint8)
    torch.testing.assert_close(augment(x, draws(4, brightness=1.2)), x.float() * 1.2, atol=1e-3, rtol=1e-5)


def test_contrast_keeps_the_mean_and_saturation_the_grey() -> None:
    x = (patches() / 4 + 90).to(torch.uint8)  # far from 0 and 255, where values are cut off
    contrasted = augment(x, draws(4, contrast=1.3))
    torch.testing.assert_close(contrasted.mean((1, 2, 3)), x.float().mean((1, 2, 3)))
    torch.testing.assert_close(contrasted.std((1, 2, 3)), 1.3 * x.float().std((1, 2, 3)))
    weights = torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)
    saturated = augment(x, draws(4, saturation=0.0))
    torch.testing.assert_close(saturated, (x.float() * weights).sum(1, keepdim=True).expand(-1, 3, -1, -1))


def test_values_stay_in_range() -> None:
    out = augment(patches(), draws(4, brightness=1.9, contrast=1.9, saturation=1.9))
    assert out.min() >= 0
    assert out.max() <= 255
    assert (out == 255).any()


def test_draws_are_a_function_of_the_generator_and_within_bounds() -> None:
    first, again = (draw(rng(3, "augment", 7), 200, 0.1) for _ in range(2))
    assert np.array_equal(first.turn, again.turn)
    assert np.array_equal(first.contrast, again.contrast)
    assert set(first.turn) == set(range(TURNS))
    for factors in (first.brightness, first.contrast, first.saturation):
        assert factors.dtype == np.float32
        assert 0.9 <= factors.min() < 0.92
        assert 1.08 < factors.max() <= 1.1


@pytest.mark.parametrize("n", [0, 1, 5])
def test_any_number_of_patches(n: int) -> None:
    assert augment(patches(5)[:n], draw(rng(0), n, 0.2)).shape == (n, 3, 6, 6)
