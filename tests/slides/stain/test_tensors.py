"""Tensors come out as arrays do; what the functions are for is tested with `separation`, `learning` and `reinhard`."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from tests.slides.pictures import tissue_picture

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.stain import colour, reinhard, separation, tensors
from napari_c2lst.slides.stain.normalizer import StainNormalizer
from napari_c2lst.slides.stain.of_slide import SlideStain, over_white

METHODS = ["macenko", "vahadane", "reinhard"]


def patches(count: int = 6, side: int = 48, seed: int = 0) -> np.ndarray:
    return np.stack([tissue_picture(side, side, seed=seed + s) for s in range(count)])


def fitted(method: str) -> StainNormalizer:
    reference = np.rint(255 * (patches(seed=50) / 255.0) ** 1.5).astype(np.uint8)
    return StainNormalizer(method).fit(reference)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("given", [True, False])
def test_tensors_are_normalised_as_arrays_are(method: str, given: bool) -> None:
    normalizer, some = fitted(method), patches()
    values = normalizer.estimate(patches(seed=9)) if given else None
    expected, flags = normalizer.transform(some, values, return_flags=True)
    result, unchanged = normalizer.transform(torch.from_numpy(some), values, return_flags=True)
    assert isinstance(result, torch.Tensor)
    assert result.dtype == torch.uint8
    assert unchanged.tolist() == flags.tolist()
    difference = np.abs(result.numpy().astype(int) - expected)
    assert difference.max() <= 1
    assert difference.mean() < 0.01
    assert np.abs(expected.astype(int) - some).mean() > 5


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("given", [True, False])
def test_white_black_and_blank_patches_pass_through(method: str, given: bool) -> None:
    normalizer = fitted(method)
    colours = ((255,) * 3, (0,) * 3, (236, 230, 240), (180, 90, 150))
    odd = np.stack([np.full((32, 32, 3), colour, np.uint8) for colour in colours])
    batch = torch.from_numpy(np.concatenate([odd, patches(2, 32)]))
    before = batch.clone()
    values = normalizer.estimate(patches(seed=3)) if given else None
    result, unchanged = normalizer.transform(batch, values, return_flags=True)
    assert unchanged.tolist() == [True] * 4 + [False] * 2
    assert torch.equal(result[:4], before[:4])
    assert not torch.equal(result[4:], before[4:])
    assert torch.equal(batch, before)


def test_marker_pen_leaves_no_odd_numbers() -> None:
    pen = patches(3)
    pen[0, :, :24] = (20, 60, 200)
    pen[1] = (20, 60, 200)
    for method in METHODS:
        expected, flags = fitted(method).transform(pen, return_flags=True)
        result, unchanged = fitted(method).transform(torch.from_numpy(pen), return_flags=True)
        assert unchanged.tolist() == flags.tolist() == [False, True, False]
        assert np.abs(result.numpy().astype(int) - expected).max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_parts_are_as_the_whole(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    some = torch.from_numpy(patches(5))
    whole = fitted(method).transform(some)
    monkeypatch.setitem(tensors._PIXELS, "cpu", 2 * 48 * 48)
    assert (fitted(method).transform(some).int() - whole.int()).abs().max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_the_same_tensors_give_the_same_bits(method: str) -> None:
    some = torch.from_numpy(patches(3))
    assert torch.equal(fitted(method).transform(some), fitted(method).transform(some))


def test_one_image_and_none() -> None:
    image = torch.from_numpy(tissue_picture(40, 50))
    result, unchanged = fitted("macenko").transform(image, return_flags=True)
    assert result.shape == image.shape
    assert unchanged.tolist() == [False]
    for shape in ((0, 16, 16, 3), (2, 0, 16, 3)):
        nothing, flags = fitted("macenko").transform(torch.zeros(shape, dtype=torch.uint8), return_flags=True)
        assert nothing.shape == shape
        assert flags.tolist() == [True] * shape[0]


def test_a_reference_may_be_a_tensor() -> None:
    reference = patches(seed=50)
    ours = StainNormalizer("vahadane").fit(torch.from_numpy(reference)).reference
    assert ours == StainNormalizer("vahadane").fit(reference).reference


@pytest.mark.parametrize("wrong", [torch.zeros(2, 8, 8, 3), torch.zeros(2, 8, 8, 4, dtype=torch.uint8)])
def test_other_tensors_are_refused(wrong: torch.Tensor) -> None:
    with pytest.raises(InputError, match="uint8 RGB"):
        fitted("macenko").transform(wrong)


def test_staintools_takes_no_tensors(monkeypatch: pytest.MonkeyPatch) -> None:
    normalizer = fitted("macenko")
    normalizer.backend = "staintools"
    with pytest.raises(InputError, match="takes arrays"):
        normalizer.transform(torch.from_numpy(patches(1)))


def test_colours_are_those_of_the_arrays() -> None:
    pixels = np.random.default_rng(0).integers(20, 256, (2, 500, 3), dtype=np.uint8)
    tensor = torch.from_numpy(pixels)
    np.testing.assert_allclose(tensors.optical_density(tensor), colour.optical_density(pixels), atol=1e-6)
    np.testing.assert_array_equal(tensors.stained(tensor), colour.stained(pixels))
    # those of arrays are looked up on a scale of 16 bits
    np.testing.assert_allclose(tensors.rgb_to_lab(tensor), colour.rgb_to_lab(pixels), atol=0.05)
    assert (tensors.lab_to_rgb(tensors.rgb_to_lab(tensor)).int() - tensor.int()).abs().max() == 0


@pytest.mark.parametrize("glass", [None, (255, 255, 255), (230, 225, 240), (0, 128, 255)])
def test_glass_is_taken_off_as_from_arrays(glass: tuple[int, int, int] | None) -> None:
    every = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(2, 8, 16, 3)
    np.testing.assert_array_equal(over_white(torch.from_numpy(every), glass), over_white(every, glass))


def test_a_slides_stain_takes_tensors_too() -> None:
    some, normalizer = patches(), fitted("macenko")
    stain = SlideStain((240, 238, 245), normalizer.estimate(patches(seed=3)))
    expected = stain.normalise(some, normalizer)
    result = stain.normalise(torch.from_numpy(some), normalizer)
    assert isinstance(result, torch.Tensor)
    assert np.abs(result.numpy().astype(int) - expected).max() <= 1
    assert np.abs(expected.astype(int) - some).mean() > 5


@pytest.mark.parametrize("method", ["macenko", "vahadane"])
def test_stains_are_those_of_the_arrays(method: str) -> None:
    flat = patches().reshape(6, -1, 3)
    expected, found = getattr(separation, f"{method}_stains")(flat)
    stains, seen = tensors.estimate(method, torch.from_numpy(flat))
    np.testing.assert_allclose(stains, expected, atol=2e-3)
    assert seen.tolist() == found.tolist() == [True] * 6


def test_statistics_are_those_of_the_arrays() -> None:
    flat = patches(2).reshape(2, -1, 3)
    flat[1] = flat[1, 0]
    expected, found = reinhard.lab_statistics(flat)
    statistics, seen = tensors.estimate("reinhard", torch.from_numpy(flat))
    np.testing.assert_allclose(statistics, expected, atol=0.02)
    assert seen.tolist() == found.tolist() == [True, False]


@pytest.mark.parametrize("pixels", [1, 2, 99, 100, 101])
def test_the_dense_concentration_is_the_quantile(pixels: int) -> None:
    codes = np.random.default_rng(pixels).random((3, 2, pixels)).astype(np.float32)
    expected = np.quantile(codes, separation.DENSE, axis=-1)
    np.testing.assert_allclose(tensors._high_quantile(torch.from_numpy(codes), separation.DENSE), expected, rtol=1e-5)


def test_arrays_need_no_torch() -> None:
    code = (
        "import sys, numpy as np; from napari_c2lst.slides import StainNormalizer as S;"
        "x = np.random.default_rng(0).integers(60, 200, (2, 32, 32, 3), dtype=np.uint8);"
        "S().fit(x).transform(x); print('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "False"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("method", METHODS)
def test_on_a_gpu(method: str) -> None:
    some = torch.from_numpy(patches())
    result = fitted(method).transform(some.cuda())
    assert result.device.type == "cuda"
    assert (result.cpu().int() - fitted(method).transform(some).int()).abs().max() <= 1
