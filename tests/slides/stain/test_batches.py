from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.slides.pictures import tissue_picture

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.stain import batches
from napari_c2lst.slides.stain.batches import blank, checked, checked_tensor, is_tensor, part_by_part


def patches(count: int = 3, side: int = 24) -> np.ndarray:
    return np.stack([tissue_picture(side, side, seed=s) for s in range(count)])


def test_a_tensor_is_told_from_an_array() -> None:
    assert is_tensor(torch.zeros(2))
    assert not is_tensor(np.zeros(2))
    assert not is_tensor([0, 0])


@pytest.mark.parametrize("kind", [np.asarray, torch.from_numpy])
def test_an_image_is_a_batch_of_one(kind: type) -> None:
    image = patches(1)[0]
    np.testing.assert_array_equal(checked(kind(image)), image[None])
    assert isinstance(checked(kind(image)), np.ndarray)
    assert tuple(checked_tensor(torch.from_numpy(image)).shape) == (1, 24, 24, 3)


@pytest.mark.parametrize("shape", [(8, 8), (2, 8, 8, 4), (1, 2, 8, 8, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="uint8 RGB"):
        checked(np.zeros(shape, np.uint8))
    with pytest.raises(InputError, match="uint8 RGB"):
        checked_tensor(torch.zeros(shape, dtype=torch.uint8))


def test_other_numbers_are_refused() -> None:
    with pytest.raises(InputError, match="not float64"):
        checked(np.zeros((2, 8, 8, 3)))
    with pytest.raises(InputError, match=r"not torch\.float32"):
        checked_tensor(torch.zeros(2, 8, 8, 3))


def test_blank_is_unstained_or_of_one_colour() -> None:
    glass = np.full((24, 24, 3), 245, np.uint8)
    few = glass.copy()
    few[0, :5] = (120, 60, 140)  # 5 of 576 pixels
    enough = glass.copy()
    enough[0, :7] = (120, 60, 140)
    flat = np.stack([glass, few, enough, np.full_like(glass, 120), patches(1)[0]]).reshape(5, -1, 3)
    assert blank(flat).tolist() == [True, True, False, True, False]


def test_work_is_done_in_parts_and_blank_patches_are_spared(monkeypatch: pytest.MonkeyPatch) -> None:
    some = patches(5)
    some[2] = 255
    seen = []

    def work(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen.append(len(pixels))
        return 255 - pixels, np.arange(len(pixels)) != 1

    monkeypatch.setattr(batches, "_CHUNK_PIXELS", 3 * 24 * 24)
    result, unchanged = part_by_part(some, work)
    assert seen == [3, 1]
    assert unchanged.tolist() == [False, True, True, False, False]
    np.testing.assert_array_equal(result[~unchanged], 255 - some[~unchanged])
    np.testing.assert_array_equal(result[unchanged], some[unchanged])
