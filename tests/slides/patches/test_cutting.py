from __future__ import annotations

from collections import Counter
from pathlib import Path

import dask.array as da
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError
from tests.slides.pictures import CountingArray, PictureSlide, her2st, noise, slide_of, tissue_picture

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images.pyramid import Pyramid
from napari_c2lst.slides.patches.cutting import (
    PatchSpec,
    coarseness_note,
    iter_patches,
    iter_spot_patches,
    read_patches,
    spot_patches,
    stain_of,
    stain_reference,
)
from napari_c2lst.slides.stain.normalizer import StainNormalizer


def planes(picture):
    return np.ascontiguousarray(np.moveaxis(picture, -1, 0))


def test_a_patch_is_the_box_of_microns_around_its_centre():
    pixels = noise(300, 300)
    slide = slide_of(pixels, mpp=0.5)
    patches = read_patches(slide, np.array([[150.0, 120.5]]), patch_um=40.0, patch_px=32)
    image = Image.fromarray(np.moveaxis(pixels, 0, -1).copy())
    expected = image.resize((32, 32), Image.Resampling.HAMMING, box=(80.5, 110.0, 160.5, 190.0))
    assert patches.shape == (1, 32, 32, 3)
    assert patches.dtype == np.uint8
    assert np.abs(patches[0].astype(int) - np.asarray(expected, int)).max() <= 1


def test_patches_come_in_the_order_of_the_centres_whatever_the_chunks():
    pixels = noise(400, 300)
    yx = np.random.default_rng(1).uniform(0, (400, 300), (60, 2))
    all_at_once = read_patches(slide_of(pixels, chunk=64), yx, patch_um=30, patch_px=24)
    other_chunks = read_patches(slide_of(pixels, chunk=500), yx, patch_um=30, patch_px=24, workers=1)
    one_by_one = np.concatenate([read_patches(slide_of(pixels), p[None], patch_um=30, patch_px=24) for p in yx])
    np.testing.assert_array_equal(all_at_once, one_by_one)
    assert np.abs(all_at_once.astype(int) - other_chunks).max() <= 1  # the box has other fractions in other canvases


def test_reads_the_coarsest_level_that_is_fine_enough_once_each_chunk():
    fine, coarse = CountingArray(noise(512, 512)), CountingArray(noise(256, 256))
    levels = [da.from_array(a, chunks=(3, 64, 64), name=False) for a in (fine, coarse)]
    slide = PictureSlide("toy", Path("toy"), Pyramid.of_levels(levels), 0.5)
    yx = np.random.default_rng(0).uniform(0, 512, (300, 2))
    read_patches(slide, yx, patch_um=64, patch_px=64)  # 1 um/px: level 1
    assert fine.reads == []
    assert set(Counter(coarse.reads).values()) == {1}
    read_patches(slide, yx, patch_um=63, patch_px=64)  # finer than level 1 by more than rounding
    assert set(Counter(fine.reads).values()) == {1}


def test_levels_agree_on_where_a_point_is():
    picture = np.zeros((3, 256, 256), np.uint8)
    picture[:, 96:160, 64:128] = 200
    slide = slide_of(picture, levels=3)
    centres = np.array([[128.0, 96.0], [96.0, 64.0]])
    for patch_px in (64, 32, 16):  # levels 0, 1 and 2
        inside, corner = read_patches(slide, centres, patch_um=64, patch_px=patch_px).astype(float)
        assert inside.mean() == pytest.approx(200, abs=3)
        assert corner.mean() == pytest.approx(50, abs=2)


def test_beyond_the_image_is_white():
    patches = read_patches(
        slide_of(np.zeros((3, 100, 100), np.uint8)), np.array([[0.0, 50.0]]), patch_um=40, patch_px=40
    )
    assert (patches[0, :17] == 255).all()
    assert (patches[0, 23:] == 0).all()


def test_batches_are_full_and_cover_everything():
    slide, yx = slide_of(noise(300, 300)), np.random.default_rng(0).uniform(0, 300, (77, 2))
    whole = read_patches(slide, yx, patch_um=20, patch_px=16)
    sizes, seen = [], []
    for indices, patches in iter_patches(slide, yx, patch_um=20, patch_px=16, batch=10):
        sizes.append(len(indices))
        seen.extend(indices.tolist())
        np.testing.assert_array_equal(patches, whole[indices])
    assert sizes == [10] * 7 + [7]
    assert sorted(seen) == list(range(77))


def test_batches_are_not_overwritten_by_later_ones():
    slide, yx = slide_of(noise(300, 300)), np.random.default_rng(0).uniform(0, 300, (40, 2))
    kept = list(iter_patches(slide, yx, patch_um=20, patch_px=16, batch=8))
    whole = read_patches(slide, yx, patch_um=20, patch_px=16)
    for indices, patches in kept:
        np.testing.assert_array_equal(patches, whole[indices])


def test_no_centres_no_patches():
    assert read_patches(slide_of(noise(64, 64)), np.empty((0, 2)), patch_um=8, patch_px=8).shape == (0, 8, 8, 3)
    assert spot_patches(slide_of(noise(64, 64)), np.empty((0, 2)), PatchSpec()).shape == (0, 64, 64, 3)


@pytest.mark.parametrize("yx", [np.zeros((3, 3)), np.zeros(4), np.array([[1.0, np.nan]])])
def test_bad_centres_are_refused(yx):
    with pytest.raises(InputError, match="patch centres"):
        read_patches(slide_of(noise(64, 64)), yx, patch_um=8, patch_px=8)


def test_a_damaged_chunk_is_an_error_with_the_file_and_the_place():
    source = CountingArray(noise(128, 128), broken=(64, 0))
    level = da.from_array(source, chunks=(3, 64, 64), name=False)
    slide = PictureSlide("P12", Path("/data/P12.zarr"), Pyramid.of_levels([level]), 1.0)
    read_patches(slide, np.array([[20.0, 20.0]]), patch_um=16, patch_px=16)
    with pytest.raises(InputError, match=r"slide 'P12' \(/data/P12.zarr\), level 0.*rows 64 to 128, columns 0 to 64"):
        read_patches(slide, np.array([[20.0, 20.0], [100.0, 20.0]]), patch_um=16, patch_px=16)


def test_spec_is_stored_as_json_and_checked():
    reference = StainNormalizer().fit(tissue_picture(64, 64), name="toy").reference
    spec = PatchSpec(patch_um=100, patch_px=32, stain=reference)
    assert PatchSpec.model_validate_json(spec.model_dump_json()) == spec
    assert PatchSpec().mpp == 1.75
    for wrong in ({"patch_um": 0}, {"patch_um": float("nan")}, {"patch_px": 1}, {"patch": 3}):
        with pytest.raises(ValidationError):
            PatchSpec(**wrong)


def test_coarse_slides_get_a_note():
    slide = slide_of(noise(64, 64), mpp=4.45, name="MOB1")
    note = coarseness_note(slide, PatchSpec())
    assert note is not None
    assert note.startswith("slide 'MOB1' is 4.45 um/px, coarser than the model's 1.75 um/px: patches are enlarged 2.5x")
    assert coarseness_note(slide_of(noise(64, 64), mpp=1.75), PatchSpec()) is None


def test_a_slide_is_brought_to_the_reference_whatever_its_glass_and_strength():
    spec = PatchSpec(patch_um=48, patch_px=24)
    here, there = np.full((2, 700, 700, 3), 240, np.uint8)
    there[:] = (170, 178, 186)  # dim, bluish glass
    here[100:600, 100:600] = tissue_picture(500, 500, seed=1)
    there[100:600, 100:600] = tissue_picture(500, 500, seed=1, glass=(170, 178, 186))
    first, second = slide_of(planes(here), mpp=2.0), slide_of(planes(there), mpp=2.0)
    spec = spec.model_copy(update={"stain": stain_reference(first, spec)})
    yx = np.random.default_rng(0).uniform(150, 550, (40, 2))
    raw_gap = np.abs(
        read_patches(first, yx, patch_um=48, patch_px=24)
        - read_patches(second, yx, patch_um=48, patch_px=24).astype(float)
    )
    gap = np.abs(spot_patches(first, yx, spec).astype(float) - spot_patches(second, yx, spec))
    assert raw_gap.mean() > 40
    assert gap.mean() < 3


def test_without_a_reference_colours_are_left():
    slide, yx = slide_of(noise(200, 200)), np.array([[100.0, 100.0]])
    np.testing.assert_array_equal(
        spot_patches(slide, yx, PatchSpec(patch_um=32, patch_px=16)), read_patches(slide, yx, patch_um=32, patch_px=16)
    )


def test_a_slide_without_tissue_is_left_as_it_is():
    slide = slide_of(np.full((3, 300, 300), 235, np.uint8), mpp=2.0)
    spec = PatchSpec(patch_um=48, patch_px=24, stain=StainNormalizer().fit(tissue_picture(64, 64)).reference)
    assert stain_of(slide, spec).values is None
    assert (spot_patches(slide, np.array([[150.0, 150.0]]), spec) == 235).all()
    with pytest.raises(InputError, match="no stained tissue"):
        stain_reference(slide, spec)


def test_real_sections_of_two_patients_meet_in_the_reference(shared):
    (c2, c2_spots), (b4, b4_spots) = her2st(shared, "C2"), her2st(shared, "B4")
    spec = PatchSpec(patch_px=32)
    spec = spec.model_copy(update={"stain": stain_reference(c2, spec)})
    streamed = list(iter_spot_patches(b4, b4_spots, spec, batch=100))
    assert sum(len(indices) for indices, _ in streamed) == len(b4_spots) == 284
    patches = spot_patches(b4, b4_spots, spec)
    for indices, some in streamed:
        np.testing.assert_array_equal(some, patches[indices])

    def tint(pixels):  # how far the lightest tenth of all pixels, the glass and fat, is from white
        bright = pixels.reshape(-1, 3).astype(float)
        return 255 - bright[bright.sum(axis=1) > np.quantile(bright.sum(axis=1), 0.9)].mean(axis=0)

    raw = read_patches(b4, b4_spots, patch_um=112, patch_px=32)
    target = tint(spot_patches(c2, c2_spots, spec))
    assert np.abs(tint(patches) - target).max() < 0.4 * np.abs(tint(raw) - target).max()


@pytest.mark.parametrize("batch", [0, -1])
def test_batches_of_nothing_are_refused_before_any_work(batch):
    slide = slide_of(noise(100, 100), mpp=1.0)
    with pytest.raises(InputError, match=f"batches of {batch} patches"):
        iter_patches(slide, np.array([[50.0, 50.0]]), patch_um=20.0, patch_px=10, batch=batch)


@pytest.mark.parametrize(("um", "px"), [(0.0, 8), (-1.0, 8), (np.nan, 8), (np.inf, 8), (20.0, 0), (20.0, -4)])
def test_patches_without_a_size_are_refused(um, px):
    slide = slide_of(noise(100, 100), mpp=1.0)
    with pytest.raises(InputError, match="cannot be") as caught:
        read_patches(slide, np.empty((0, 2)), patch_um=um, patch_px=max(px, 0))
    assert "above 0" in caught.value.hint


def test_a_patch_larger_than_the_slide_has_it_in_the_middle_of_white():
    slide = slide_of(np.full((3, 40, 40), 90, np.uint8), mpp=1.0)
    (patch,) = read_patches(slide, np.array([[20.0, 20.0]]), patch_um=80.0, patch_px=40)
    assert (patch[12:28, 12:28] == 90).all()
    assert (patch[:8] == 255).all()
    assert (patch[:, -8:] == 255).all()


def test_many_workers_give_what_one_gives():
    slide = slide_of(noise(300, 260), mpp=1.0)
    yx = np.random.default_rng(0).uniform(-20, 300, (90, 2))
    one, many = (read_patches(slide, yx, patch_um=37.0, patch_px=20, workers=n) for n in (1, 7))
    np.testing.assert_array_equal(one, many)


def test_the_same_place_asked_for_twice_is_read_twice():
    slide = slide_of(noise(100, 100), mpp=1.0)
    patches = read_patches(slide, np.array([[50.0, 50.0]] * 3), patch_um=20.0, patch_px=10)
    assert (patches == patches[0]).all()
