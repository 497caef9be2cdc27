from __future__ import annotations

import numpy as np
import pytest
from tests.slides.pictures import slide_of, tissue_picture

from napari_c2lst.slides.images.tissue import tissue_mask
from napari_c2lst.slides.patches.cutting import read_patches
from napari_c2lst.slides.stain.normalizer import StainNormalizer
from napari_c2lst.slides.stain.of_slide import SlideStain, over_white, sample_positions, slide_stain


def toy_slide(side=700, name="toy"):
    picture = np.full((side, side, 3), (230, 225, 232), np.uint8)
    picture[100:-100, 100:-100] = tissue_picture(side - 200, side - 200, glass=(230, 225, 232))
    return slide_of(np.ascontiguousarray(np.moveaxis(picture, -1, 0)), mpp=2.0, name=name)


def reader(slide, calls):
    def read(yx):
        calls.append(len(yx))
        return read_patches(slide, yx, patch_um=48, patch_px=24)

    return read


def test_glass_becomes_white_and_black_stays_black():
    patches = np.array([[[[230, 225, 232], [0, 0, 0], [115, 90, 116], [255, 255, 255]]]], np.uint8)
    white = over_white(patches, (230.0, 225.0, 232.0))
    assert white[0, 0].tolist() == [[255, 255, 255], [0, 0, 0], [128, 102, 127], [255, 255, 255]]
    assert over_white(patches, None) is patches
    assert patches[0, 0, 0].tolist() == [230, 225, 232]


def test_the_sample_lies_on_tissue_and_is_always_the_same():
    slide = toy_slide()
    positions = sample_positions(slide, 48.0, count=30)
    assert positions.shape == (30, 2)
    np.testing.assert_array_equal(positions, sample_positions(toy_slide(name="other"), 48.0, count=30))
    assert (tissue_mask(slide).fraction(positions, 24.0) >= 0.5).all()
    assert np.ptp(positions, axis=0).min() > 300  # spread over the slide


def test_a_slide_with_little_tissue_gives_all_it_has():
    slide = toy_slide(300)
    assert 4 < len(sample_positions(slide, 48.0)) < 40


def test_the_stain_is_estimated_once_for_each_method_and_kept_on_the_slide():
    slide, calls = toy_slide(), []
    first = slide_stain(slide, "macenko", 48.0, reader(slide, calls))
    assert slide_stain(slide, "macenko", 48.0, reader(slide, calls)) is first
    assert len(calls) == 1
    assert slide_stain(slide, "reinhard", 48.0, reader(slide, calls)).values != first.values
    assert len(calls) == 2
    again = toy_slide()
    assert slide_stain(again, "macenko", 48.0, reader(again, [])) == first
    assert first.glass == pytest.approx((230, 225, 232), abs=1)


def test_nothing_stained_nothing_changed():
    normalizer = StainNormalizer().fit(tissue_picture(64, 64))
    patches = tissue_picture(32, 32)[None]
    assert SlideStain(None, None).normalise(patches, normalizer) is patches


def test_normalise_uses_the_slides_values():
    reference = tissue_picture(128, 128, seed=3)
    normalizer = StainNormalizer().fit(reference)
    slide, patches = toy_slide(), tissue_picture(48, 48, seed=5, glass=(230, 225, 232))[None]
    stain = slide_stain(slide, "macenko", 48.0, reader(slide, []))
    expected = normalizer.transform(over_white(patches, stain.glass), stain.values)
    np.testing.assert_array_equal(stain.normalise(patches, normalizer), expected)
    assert not np.array_equal(expected, patches)


def test_a_slide_without_stain_hands_its_patches_back():
    patches = np.full((2, 8, 8, 3), 200, np.uint8)
    normalizer = StainNormalizer().fit(tissue_picture(64, 64))
    assert SlideStain((240.0, 240.0, 240.0), None).normalise(patches, normalizer) is patches


def test_black_glass_does_not_divide_by_zero():
    patches = np.array([[[[0, 1, 255]]]], np.uint8)
    assert over_white(patches, (0.0, 0.0, 0.0)).tolist() == [[[[0, 255, 255]]]]


def test_no_patches_over_white_are_no_patches():
    assert over_white(np.empty((0, 4, 4, 3), np.uint8), (230.0, 225.0, 232.0)).shape == (0, 4, 4, 3)


def test_a_slide_of_glass_alone_has_glass_and_no_stain():
    slide = slide_of(np.full((3, 400, 400), 235, np.uint8), mpp=2.0, name="Glas ä")
    assert sample_positions(slide, 48.0).shape == (0, 2)
    stain = slide_stain(slide, "macenko", 48.0, lambda yx: np.empty((len(yx), 24, 24, 3), np.uint8))
    assert stain.values is None
    assert stain.glass == pytest.approx((235,) * 3)


def test_tissue_that_turns_out_blank_is_left_unstained():
    slide = toy_slide(400)
    stain = slide_stain(slide, "vahadane", 48.0, lambda yx: np.full((len(yx), 8, 8, 3), 250, np.uint8))
    assert stain.values is None
    patches = np.full((1, 8, 8, 3), 99, np.uint8)
    assert stain.normalise(patches, StainNormalizer().fit(tissue_picture(64, 64))) is patches


def test_another_size_of_patches_is_estimated_anew():
    slide, calls = toy_slide(400), []
    first = slide_stain(slide, "reinhard", 48.0, reader(slide, calls))
    assert slide_stain(slide, "reinhard", 96.0, reader(slide, calls)) is not first
    assert len(calls) == 2
    assert calls[1] < calls[0]


def test_each_channel_is_made_white_by_its_own_glass():
    every = np.stack(np.broadcast_arrays(*np.ogrid[:256, :1, :1, :3]), axis=-1)[..., 0].astype(np.uint8)
    white = over_white(every, (230.0, 128.0, 255.0)).reshape(256, 3)
    for channel, glass in enumerate((230, 128, 255)):
        expected = np.minimum(np.floor(np.arange(256) * 255 / glass + 0.5), 255)
        np.testing.assert_array_equal(white[:, channel], expected)
