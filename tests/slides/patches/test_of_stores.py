"""Patches, tissue and stain of a slide as it is opened from a store, not of a stand-in."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images.tissue import grid_positions, tissue_mask
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import (
    PatchSpec,
    iter_spot_patches,
    read_patches,
    spot_patches,
    stain_of,
    stain_reference,
)
from napari_c2lst.slides.patches.features import colour_features


def stored_chunks(store: Path) -> list[Path]:
    """Files of pixels, the largest (of level 0) first."""
    files = [
        p for p in (store / "images").rglob("*") if p.is_file() and p.suffix != ".json" and not p.name.startswith(".")
    ]
    return sorted(files, key=lambda p: p.stat().st_size, reverse=True)


def test_patches_of_the_spots(tiny_store_once):
    slide = open_slide(tiny_store_once)
    spots = slide.require_spots()
    patches = read_patches(slide, spots.yx, patch_um=80.0, patch_px=32)
    assert patches.shape == (len(spots), 32, 32, 3)
    pixels = slide.pyramid.levels[0].compute()
    y, x = np.round(spots.yx[30]).astype(int)
    window = pixels[:, y - 16 : y + 16, x - 16 : x + 16]
    np.testing.assert_allclose(patches[30].mean(axis=(0, 1)), window.mean(axis=(1, 2)), atol=3)


def test_the_mask_and_the_stain_are_kept_on_a_frozen_slide(tiny_store_once):
    slide = open_slide(tiny_store_once)
    spec = PatchSpec(patch_um=80.0, patch_px=32)
    spec = spec.model_copy(update={"stain": stain_reference(slide, spec)})
    assert tissue_mask(slide) is tissue_mask(slide)
    assert stain_of(slide, spec) is stain_of(slide, spec)
    assert spec.stain is not None
    assert spec.stain.name == slide.name
    assert stain_of(slide, spec).values == spec.stain.values  # the reference itself
    reopened = open_slide(tiny_store_once)
    yx = slide.require_spots().yx
    np.testing.assert_array_equal(spot_patches(slide, yx, spec), spot_patches(reopened, yx, spec))


def test_the_ellipse_is_the_tissue(tiny_store_once):
    slide = open_slide(tiny_store_once)
    mask = tissue_mask(slide)
    height, width = slide.pyramid.shape
    y, x = np.mgrid[:height, :width] + 0.5
    truth = ((y / height - 0.45) / 0.5) ** 2 + ((x / width - 0.45) / 0.5) ** 2 < 0.8
    points = np.random.default_rng(0).uniform(0, (height, width), (2000, 2))
    expected = truth[points[:, 0].astype(int), points[:, 1].astype(int)]
    assert (mask.at(points) == expected).mean() > 0.93
    grid = grid_positions(slide, mask, 50.0, 80.0)
    assert truth[grid[:, 0].astype(int), grid[:, 1].astype(int)].mean() > 0.9
    assert len(grid) * (50.0 / slide.mpp) ** 2 == pytest.approx(truth.sum(), rel=0.1)


def test_streaming_gives_what_reading_gives(tiny_store_once):
    slide = open_slide(tiny_store_once)
    yx, spec = slide.require_spots().yx, PatchSpec(patch_um=80.0, patch_px=16)
    spec = spec.model_copy(update={"stain": stain_reference(slide, spec, "reinhard")})
    whole = spot_patches(slide, yx, spec)
    found = np.zeros(len(yx), bool)
    for indices, patches in iter_spot_patches(slide, yx, spec, batch=7, workers=2):
        np.testing.assert_array_equal(patches, whole[indices])
        found[indices] = True
    assert found.all()


def test_features_of_patches_see_the_nuclei(tiny_store_once):
    slide = open_slide(tiny_store_once)
    yx = np.array([[135.0, 60.0], [135.0, 300.0]])  # few nuclei on the left, many on the right
    left, right = colour_features(read_patches(slide, yx, patch_um=120.0, patch_px=32))
    assert right[40] > left[40] + 0.05


def test_a_cut_off_chunk_is_named_and_nothing_is_left_running(tiny_store):
    chunk = stored_chunks(tiny_store)[0]
    chunk.write_bytes(chunk.read_bytes()[: chunk.stat().st_size // 2])
    slide = open_slide(tiny_store)
    before = threading.active_count()
    with pytest.raises(
        InputError, match=r"image of slide 'tiny' .*level 0: the stored chunk of rows \d+ to \d+"
    ) as caught:
        read_patches(slide, slide.require_spots().yx, patch_um=80.0, patch_px=64)
    assert str(tiny_store) in caught.value.message
    assert "copy or convert it again" in caught.value.hint
    assert not [t for t in threading.enumerate() if t.name.startswith("patches")]
    assert threading.active_count() <= before + 2  # zarr keeps a thread of its own


def test_without_microns_per_pixel_nothing_is_read(tiny_store_once, tmp_path):
    from PIL import Image

    Image.fromarray(np.full((64, 64, 3), 200, np.uint8)).save(tmp_path / "plain.jpg")
    slide = open_slide(tmp_path / "plain.jpg")
    with pytest.raises(InputError, match="no microns per pixel"):
        read_patches(slide, np.array([[10.0, 10.0]]), patch_um=112, patch_px=64)
    with pytest.raises(InputError, match="no microns per pixel"):
        tissue_mask(slide)
