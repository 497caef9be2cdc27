from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError
from tests.slides.pictures import tissue_picture

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.stain.normalizer import StainNormalizer, StainReference

METHODS = ["macenko", "vahadane", "reinhard"]


def patches(count=6, side=48, seed=0, glass=(250, 250, 250)):
    return np.stack([tissue_picture(side, side, seed=seed + s, glass=glass) for s in range(count)])


@pytest.mark.parametrize("method", METHODS)
def test_fit_transform(method):
    normalizer = StainNormalizer(method).fit(patches(seed=50))
    source = np.rint(255 * (patches() / 255.0) ** 0.6).astype(np.uint8)
    before = source.copy()
    result, unchanged = normalizer.transform(source, return_flags=True)
    np.testing.assert_array_equal(source, before)
    assert result.shape == source.shape
    assert result.dtype == np.uint8
    assert not unchanged.any()
    assert np.abs(result.astype(float) - patches()).mean() < 0.5 * np.abs(source.astype(float) - patches()).mean()


@pytest.mark.parametrize("method", METHODS)
def test_the_reference_survives_json(method):
    normalizer = StainNormalizer(method).fit(patches(seed=9), name="slide C2")
    stored = StainReference.model_validate_json(normalizer.reference.model_dump_json())
    assert stored == normalizer.reference
    assert stored.name == "slide C2"
    again = StainNormalizer.from_reference(stored)
    np.testing.assert_array_equal(again.transform(patches()), normalizer.transform(patches()))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("given", [True, False])
def test_white_black_and_blank_patches_pass_through(method, given):
    normalizer = StainNormalizer(method).fit(patches())
    odd = np.stack(
        [np.full((32, 32, 3), colour, np.uint8) for colour in ((255,) * 3, (0,) * 3, (236, 230, 240), (180, 90, 150))]
    )
    batch = np.concatenate([odd, patches(2, 32)])
    values = normalizer.estimate(patches(seed=3)) if given else None
    result, unchanged = normalizer.transform(batch, values, return_flags=True)
    assert unchanged.tolist() == [True] * 4 + [False] * 2
    np.testing.assert_array_equal(result[:4], odd)
    assert not np.array_equal(result[4:], batch[4:])


@pytest.mark.parametrize("method", METHODS)
def test_values_of_a_slide_are_used_for_every_patch(method):
    normalizer = StainNormalizer(method).fit(patches(seed=20))
    slide = patches(seed=3)
    values = normalizer.estimate(slide)
    whole = normalizer.transform(slide, values)
    alone = np.concatenate([normalizer.transform(one[None], values) for one in slide])
    np.testing.assert_array_equal(whole, alone)
    assert not np.array_equal(whole, normalizer.transform(slide))


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_gives_what_its_patches_give(method):
    normalizer = StainNormalizer(method).fit(patches(seed=20))
    batch = patches(8, 40)
    alone = np.concatenate([normalizer.transform(one[None]) for one in batch])
    difference = np.abs(normalizer.transform(batch).astype(int) - alone)
    assert difference.mean() < 0.1
    np.testing.assert_array_equal(normalizer.transform(batch), normalizer.transform(batch))


def test_one_image_is_taken_as_one_patch():
    image = tissue_picture(40, 50)
    normalizer = StainNormalizer().fit(image)
    result, unchanged = normalizer.transform(image, return_flags=True)
    assert result.shape == image.shape
    assert unchanged.tolist() == [False]


def test_no_patches_stay_no_patches():
    normalizer = StainNormalizer().fit(patches())
    assert normalizer.transform(np.empty((0, 16, 16, 3), np.uint8)).shape == (0, 16, 16, 3)


def test_many_patches_are_worked_on_in_parts(monkeypatch):
    normalizer = StainNormalizer().fit(patches())
    whole = normalizer.transform(patches(5))
    monkeypatch.setattr("napari_c2lst.slides.stain.batches._CHUNK_PIXELS", 2 * 48 * 48)
    np.testing.assert_array_equal(normalizer.transform(patches(5)), whole)


@pytest.mark.parametrize("blank", [np.full((4, 16, 16, 3), 250, np.uint8), np.empty((0, 16, 16, 3), np.uint8)])
def test_a_blank_reference_is_refused(blank):
    for method in METHODS:
        with pytest.raises(InputError, match="no stained tissue"):
            StainNormalizer(method).fit(blank)


def test_transform_before_fit():
    with pytest.raises(InputError, match="no reference yet"):
        StainNormalizer().transform(patches())


@pytest.mark.parametrize(
    "wrong", [np.zeros((2, 8, 8, 3)), np.zeros((2, 8, 8, 4), np.uint8), np.zeros((8, 8), np.uint8)]
)
def test_other_arrays_are_refused(wrong):
    with pytest.raises(InputError, match="uint8 RGB"):
        StainNormalizer().fit(patches()).transform(wrong)


def test_unknown_names_are_refused():
    with pytest.raises(InputError, match="'hsv'"):
        StainNormalizer("hsv")
    with pytest.raises(InputError, match="'gpu'"):
        StainNormalizer("macenko", backend="gpu")


@pytest.mark.parametrize(
    "values", [((1.0, 2.0, 3.0),), ((1.0, 2.0), (1.0, 2.0)), ((1.0, 2.0, float("nan")), (1.0, 2.0, 3.0))]
)
def test_reference_values_are_checked(values):
    with pytest.raises(ValidationError):
        StainReference(method="macenko", values=values)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_patches_twice_are_the_same(method):
    normalizer = StainNormalizer(method).fit(patches(seed=4))
    twice = np.concatenate([patches(2), patches(2)])
    result = normalizer.transform(twice)
    np.testing.assert_array_equal(result[:2], result[2:])


@pytest.mark.parametrize("method", METHODS)
def test_a_patch_does_not_depend_on_a_blank_one_beside_it(method):
    normalizer = StainNormalizer(method).fit(patches(seed=4))
    own = patches(1)
    blank = np.full_like(own, 255)
    alone = normalizer.transform(own)[0]
    beside = normalizer.transform(np.concatenate([blank, own, blank]))[1]
    assert np.abs(alone.astype(int) - beside).max() <= 1


@pytest.mark.parametrize("spread", [0, 2])
def test_one_colour_give_or_take_two_grey_levels_is_blank(spread):
    normalizer = StainNormalizer().fit(patches())
    flat = np.full((1, 16, 16, 3), (180, 90, 150), np.uint8)
    flat[0, 3, 4] += np.uint8(spread)
    result, unchanged = normalizer.transform(flat, return_flags=True)
    assert unchanged.tolist() == [True]
    np.testing.assert_array_equal(result, flat)


def test_one_channel_that_varies_is_enough_to_be_no_blank():
    normalizer = StainNormalizer("reinhard").fit(patches())
    one = np.full((1, 16, 16, 3), (180, 90, 150), np.uint8)
    one[0, :, :8, 2] = 120
    assert normalizer.transform(one, normalizer.estimate(patches()), return_flags=True)[1].tolist() == [False]


@pytest.mark.parametrize("method", METHODS)
def test_values_of_the_reference_itself_leave_its_patches_nearly_as_they_are(method):
    own = patches(3)
    normalizer = StainNormalizer(method).fit(own)
    same = normalizer.transform(own, normalizer.reference.values)
    assert np.abs(same.astype(int) - own).mean() < 6


def test_a_reference_of_another_method_is_used_by_its_own():
    stored = StainNormalizer("reinhard").fit(patches()).reference
    assert StainNormalizer.from_reference(stored).method == "reinhard"
    with pytest.raises(ValidationError):
        StainReference.model_validate({**stored.model_dump(), "method": "hsv"})
    with pytest.raises(ValidationError):
        StainReference.model_validate({**stored.model_dump(), "extra": 1})


def test_fitting_anew_replaces_the_reference():
    normalizer = StainNormalizer().fit(patches(seed=1), name="first")
    first = normalizer.reference
    assert normalizer.fit(patches(seed=30, glass=(220, 200, 230)), name="Probe ä") is normalizer
    assert normalizer.reference.name == "Probe ä"
    assert normalizer.reference.values != first.values


@pytest.mark.parametrize("method", METHODS)
def test_no_tissue_is_told_with_the_number_of_images_and_a_way_out(method):
    with pytest.raises(InputError) as caught:
        StainNormalizer(method).estimate(np.full((3, 16, 16, 3), 252, np.uint8))
    assert caught.value.message == "no stained tissue in the 3 image(s) given for stain estimation"
    assert caught.value.hint == "give patches of tissue, or switch stain normalisation off"


def test_values_of_a_large_sample_are_those_of_a_part_of_it(monkeypatch):
    sample = patches(8)
    whole = np.array(StainNormalizer().estimate(sample))
    monkeypatch.setattr("napari_c2lst.slides.stain.normalizer._ESTIMATE_PIXELS", 48 * 48)
    part = np.array(StainNormalizer().estimate(sample))
    np.testing.assert_allclose(part, whole, rtol=0.15, atol=0.05)
    assert not np.array_equal(part, whole)


def test_a_patch_with_too_little_tissue_is_left_as_it_is():
    patch = np.full((1, 40, 40, 3), 250, np.uint8)
    patch[0, 0, :15] = (120, 60, 140)  # 15 of 1600 pixels
    normalizer = StainNormalizer().fit(patches())
    values = normalizer.reference.values
    assert normalizer.transform(patch, values, return_flags=True)[1].tolist() == [True]
    patch[0, 0, :17] = (120, 60, 140)
    assert normalizer.transform(patch, values, return_flags=True)[1].tolist() == [False]


def test_patches_that_lie_apart_in_memory_are_read_as_they_are():
    normalizer = StainNormalizer().fit(patches(seed=2))
    every = patches(4)
    view = every[::2, :, ::-1]
    np.testing.assert_array_equal(normalizer.transform(view), normalizer.transform(np.ascontiguousarray(view)))


@pytest.mark.parametrize("share", [0.0, 0.009, 0.011, 0.5, 1.0])
@pytest.mark.parametrize("place", ["first", "last", "spread"])
def test_blank_patches_are_told_by_all_their_pixels_wherever_the_stained_ones_lie(share, place):
    pixels, n = np.full((1, 10_000, 3), 250, np.uint8), round(share * 10_000)
    where = {"first": np.arange(n), "last": np.arange(10_000 - n, 10_000)}.get(place)
    where = np.linspace(0, 9_999, n).astype(int) if where is None else where
    pixels[0, where] = np.random.default_rng(0).integers(60, 180, (n, 3))
    normalizer = StainNormalizer().fit(patches())
    _, unchanged = normalizer.transform(pixels.reshape(1, 100, 100, 3), normalizer.reference.values, return_flags=True)
    assert unchanged.tolist() == [share < 0.01]


def test_a_patch_of_one_colour_but_for_a_pixel_that_is_not_looked_at_first_is_not_blank():
    patch = np.full((1, 20, 20, 3), (150, 90, 160), np.uint8)
    patch[0, 0, 1] = (120, 60, 130)
    normalizer = StainNormalizer().fit(patches())
    values = normalizer.reference.values
    assert normalizer.transform(patch, values, return_flags=True)[1].tolist() == [False]
    patch[0, 0, 1] = (149, 91, 160)  # two grey levels are noise
    assert normalizer.transform(patch, values, return_flags=True)[1].tolist() == [True]
