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
