from __future__ import annotations

import numpy as np
import pytest
from tests.cells.training.nuclei import disc_image

from napari_c2lst.cells.training.augment import (
    Window,
    blur_or_noise,
    change_look,
    change_pixels,
    degrade,
    draw_window,
    look_through,
    plain_window,
)
from napari_c2lst.cells.training.layouts import CellImage


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


class TestWindow:
    def test_the_plain_one_is_the_middle(self) -> None:
        nuclei = disc_image(60)
        seen = look_through(plain_window((60, 60), 40), nuclei)
        assert nuclei.types is not None
        assert np.array_equal(seen.image, nuclei.image[10:50, 10:50])
        assert np.array_equal(seen.instances, nuclei.instances[10:50, 10:50])
        assert np.array_equal(seen.types, nuclei.types[10:50, 10:50])

    def test_a_quarter_turn(self) -> None:
        nuclei = disc_image(40)
        turned = look_through(Window(np.array([[0.0, -1.0], [1.0, 0.0]]), (19.5, 19.5), 40), nuclei)
        assert np.array_equal(turned.instances, np.rot90(nuclei.instances, -1))
        assert np.array_equal(turned.image, np.rot90(nuclei.image, -1))

    def test_half_the_steps_show_twice_the_size(self) -> None:
        nuclei = disc_image(60)
        close = look_through(Window(np.eye(2) / 2, (29.5, 29.5), 60), nuclei)
        inside = (nuclei.instances[15:45, 15:45] > 0).mean()
        assert (close.instances > 0).mean() == pytest.approx(inside, abs=0.02)

    def test_beyond_the_edge_it_is_mirrored(self) -> None:
        nuclei = disc_image(40)
        seen = look_through(Window(np.eye(2), (19.5, -0.5), 40), nuclei)  # 20 columns beyond the left edge
        assert np.array_equal(seen.instances[:, 19::-1], np.pad(nuclei.instances, ((0, 0), (0, 0)))[:, 1:21])

    def test_a_draw_stays_inside_where_it_fits(self) -> None:
        middles = [draw_window(rng(k), (100, 200), 40, 0.2).middle for k in range(200)]
        y, x = np.array(middles).T
        assert (y.min() >= 19.4, y.max() <= 79.6, x.min() >= 19.4, x.max() <= 179.6) == (True,) * 4
        assert y.std() > 10

    def test_sizes_and_flips(self) -> None:
        areas = [np.linalg.det(draw_window(rng(k), (100, 100), 40, 0.2).matrix) for k in range(200)]
        assert 0.64 <= np.abs(areas).min() < 0.8
        assert 1.2 < np.abs(areas).max() <= 1.44
        assert 60 < np.sum(np.array(areas) > 0) < 140

    def test_image_and_maps_go_together(self) -> None:
        nuclei = disc_image(120)
        seen = look_through(draw_window(rng(3), (120, 120), 100, 0.2), nuclei)
        inside, outside = seen.image[seen.instances > 0], seen.image[seen.instances == 0]
        assert inside.mean() < 130 < 200 < outside.mean()
        assert np.array_equal(seen.types > 0, seen.instances > 0)  # type: ignore[operator]

    def test_without_types(self) -> None:
        nuclei = disc_image(40)
        bare = CellImage(nuclei.image, nuclei.instances, None)
        assert look_through(plain_window((40, 40), 20), bare).types is None

    def test_an_image_of_one_pixel(self) -> None:
        dot = CellImage(np.full((1, 1, 3), 9, np.uint8), np.ones((1, 1), np.int32), None)
        assert (look_through(plain_window((1, 1), 5), dot).image == 9).all()


class TestDegrade:
    def test_detail_is_lost_and_the_mean_is_kept(self) -> None:
        image = disc_image(112).image
        coarse = degrade(image, 2.8)
        assert coarse.shape == image.shape
        assert coarse.mean() == pytest.approx(image.mean(), abs=1)
        fine = np.abs(np.diff(image.astype(int), axis=0)).mean()
        assert np.abs(np.diff(coarse.astype(int), axis=0)).mean() < fine / 2

    def test_coarser_loses_more(self) -> None:
        image = disc_image(112).image.astype(int)
        errors = [np.abs(degrade(image.astype(np.uint8), f) - image).mean() for f in (1.5, 2.0, 2.8, 4.0)]
        assert errors == sorted(errors)

    def test_a_finer_scan_changes_nothing(self) -> None:
        image = disc_image(50).image
        assert degrade(image, 0.9) is image

    def test_nuclei_stay_where_they_are(self) -> None:
        nuclei = disc_image(112)
        coarse = degrade(nuclei.image, 2.8, smooth=False).mean(2)
        assert coarse[nuclei.instances > 0].mean() + 60 < coarse[nuclei.instances == 0].mean()


class TestPixels:
    def test_no_strength_no_change(self) -> None:
        image = disc_image(50).image
        assert change_look(rng(), image, 0) is image

    def test_looks_differ_within_bounds(self) -> None:
        image = disc_image(50).image
        means = np.array([change_look(rng(k), image, 0.2).mean((0, 1)) for k in range(60)])
        assert means.std(0).min() > 3
        assert np.abs(means - image.mean((0, 1))).max() < 90

    def test_nuclei_stay_dark(self) -> None:
        nuclei = disc_image(80)
        for k in range(20):
            looked = change_look(rng(k), nuclei.image, 0.2).mean(2)
            assert looked[nuclei.instances > 0].mean() + 30 < looked[nuclei.instances == 0].mean()

    def test_blur_noise_or_nothing(self) -> None:
        image = disc_image(50).image
        changes = [np.abs(blur_or_noise(rng(k), image).astype(int) - image).mean() for k in range(80)]
        assert 20 < sum(c == 0 for c in changes) < 60
        assert max(changes) > 2

    @pytest.mark.parametrize(("share", "low", "high"), [(0.0, 0, 0), (0.5, 15, 45), (1.0, 60, 60)])
    def test_the_share_that_is_degraded(
        self, share: float, low: int, high: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen = []
        monkeypatch.setattr(
            "napari_c2lst.cells.training.augment.degrade", lambda image, factor, smooth: seen.append(factor) or image
        )
        image = disc_image(30).image
        for k in range(60):
            change_pixels(rng(k), image, colour=0.1, degraded_share=share, factor=2.8)
        assert low <= len(seen) <= high
        assert all(0.6 * 2.8 <= factor <= 1.05 * 2.8 for factor in seen)

    def test_the_same_draw_is_the_same_picture(self) -> None:
        image = disc_image(50).image
        one, two = (change_pixels(rng(5), image, colour=0.2, degraded_share=0.5, factor=2.8) for _ in range(2))
        assert np.array_equal(one, two)
