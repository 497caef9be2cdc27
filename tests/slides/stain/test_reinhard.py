from __future__ import annotations

import numpy as np
from tests.slides.pictures import tissue_picture

from napari_c2lst.slides.stain.reinhard import lab_statistics, transfer


def test_statistics_of_each_image():
    images = np.stack([tissue_picture(32, 32, seed=s).reshape(-1, 3) for s in range(3)])
    statistics, found = lab_statistics(images)
    assert statistics.shape == (3, 2, 3)
    assert found.all()
    assert (statistics[:, 0, 0] > 20).all()
    np.testing.assert_allclose(statistics[1], lab_statistics(images[1:2])[0][0], rtol=1e-5)


def test_one_colour_has_no_spread():
    statistics, found = lab_statistics(np.full((1, 50, 3), 200, np.uint8))
    assert not found[0]
    assert (statistics[0, 1] > 0).all()


def test_transfer_gives_the_targets_statistics():
    source = tissue_picture(64, 64, seed=1).reshape(1, -1, 3)
    target = np.clip(tissue_picture(64, 64, seed=2).astype(int) // 2 + 90, 0, 255).astype(np.uint8).reshape(1, -1, 3)
    goal, _ = lab_statistics(target)
    moved = transfer(source, lab_statistics(source)[0], goal[0])
    np.testing.assert_allclose(lab_statistics(moved)[0], goal, atol=1.5)


def test_transfer_to_the_own_statistics_changes_nothing():
    source = tissue_picture(32, 32).reshape(1, -1, 3)
    statistics, _ = lab_statistics(source)
    assert np.abs(transfer(source, statistics, statistics[0]).astype(int) - source).max() <= 1


def test_one_source_for_all_images_is_that_of_each():
    rng = np.random.default_rng(3)
    pixels = rng.integers(0, 256, (3, 50, 3), np.uint8)
    source, _ = lab_statistics(pixels[:1])
    target, _ = lab_statistics(rng.integers(100, 200, (1, 50, 3), np.uint8))
    every = transfer(pixels, source, target[0])
    np.testing.assert_array_equal(every, transfer(pixels, np.repeat(source, 3, axis=0), target[0]))


def test_colours_that_leave_rgb_are_cut_off_not_wrapped():
    ramp = np.repeat(np.arange(0, 256, 5, dtype=np.uint8)[None, :, None], 3, axis=2)
    source, _ = lab_statistics(ramp)
    wide = np.array([[50.0, 0, 0], [90.0, source[0, 1, 1], source[0, 1, 2]]], np.float32)
    painted = transfer(ramp, source, wide)[0].astype(int)
    assert (np.diff(painted.mean(axis=1)) >= -0.5).all()
    assert painted.min() == 0
    assert painted.max() >= 254
