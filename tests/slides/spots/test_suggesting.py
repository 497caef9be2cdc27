from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.slides.stores import make_tiny_store

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.patches.cutting import read_patches
from napari_c2lst.slides.spots.suggesting import k_centre, standardised, suggest_spots


def test_by_hand() -> None:
    # the mean is 5.2, so 6 comes first, then the farthest (0), then the farthest from both (10), then 3
    points = np.array([0.0, 3, 6, 7, 10])[:, None]
    assert k_centre(points, 4).tolist() == [2, 0, 4, 1]


def test_rare_morphology_is_covered() -> None:
    rng = np.random.default_rng(0)
    usual = rng.normal(0, 1, (500, 5))
    rare = rng.normal(20, 0.1, (2, 5))
    chosen = k_centre(np.concatenate([usual, rare]), 5)
    assert (chosen >= 500).sum() == 1


def test_covers_better_than_chance() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(400, 6))

    def radius(chosen: np.ndarray) -> float:
        return float(np.linalg.norm(points[:, None] - points[chosen][None], axis=-1).min(axis=1).max())

    at_random = [radius(rng.permutation(400)[:20]) for _ in range(20)]
    assert radius(k_centre(points, 20)) < min(at_random)


def test_equal_points_are_never_chosen_twice() -> None:
    assert sorted(k_centre(np.zeros((6, 2)), 6).tolist()) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("number", [0, 7])
def test_impossible_numbers(number: int) -> None:
    with pytest.raises(InputError, match=f"{number} spots of 6"):
        k_centre(np.zeros((6, 2)), number)


def test_standardised() -> None:
    values = standardised(np.array([[1.0, 5], [3, 5]]))
    assert values.tolist() == [[-1, 0], [1, 0]]


def test_suggested_spots_of_a_slide(tiny_store_once: Path) -> None:
    slide = open_slide(tiny_store_once)
    reporter = RecordingReporter()
    mask = suggest_spots(slide, 12, reporter=reporter)
    assert mask.shape == (63,)
    assert mask.sum() == 12
    assert np.array_equal(mask, suggest_spots(slide, 12, workers=1))
    assert (suggest_spots(slide, 5) <= mask).all()  # the first five of twelve
    assert reporter.of_kind("progress")[-1] == {"done": 63, "total": 63, "what": "patches"}


def test_only_allowed_spots_are_suggested(tiny_store_once: Path) -> None:
    slide = open_slide(tiny_store_once)
    allowed = np.arange(63) % 3 == 0
    mask = suggest_spots(slide, 10, allowed=allowed)
    assert mask.sum() == 10
    assert not (mask & ~allowed).any()
    with pytest.raises(InputError, match=r"22 spots are asked for, slide '.*' has 21 to choose from"):
        suggest_spots(slide, 22, allowed=allowed)


def test_stopping(tiny_store_once: Path) -> None:
    with pytest.raises(Stopped, match="while reading patches"):
        suggest_spots(open_slide(tiny_store_once), 12, reporter=RecordingReporter(stop_after=1))


def test_every_choice_is_the_farthest_from_those_before_it() -> None:
    points = np.random.default_rng(2).normal(size=(80, 3))
    chosen = k_centre(points, 10)
    for i in range(1, 10):
        to_chosen = np.linalg.norm(points[:, None] - points[chosen[:i]][None], axis=-1).min(axis=1)
        assert to_chosen[chosen[i]] == pytest.approx(to_chosen.max())


def test_within_twice_the_best_radius() -> None:
    # Gonzalez' bound, against the best of all choices of 3 out of 9
    points = np.random.default_rng(3).normal(size=(9, 2))

    def radius(chosen: Any) -> float:
        return float(np.linalg.norm(points[:, None] - points[list(chosen)][None], axis=-1).min(axis=1).max())

    best = min(radius(chosen) for chosen in combinations(range(9), 3))
    assert best <= radius(k_centre(points, 3)) <= 2 * best


def test_scale_of_a_feature_does_not_matter(tiny_store_once: Path) -> None:
    features = np.random.default_rng(4).normal(size=(50, 4))
    stretched = features * [1, 1000, 0.01, 1] + [0, 5, 0, -3]
    assert k_centre(standardised(features), 8).tolist() == k_centre(standardised(stretched), 8).tolist()


def test_suggestions_reach_every_kind_of_patch(tiny_store_once: Path) -> None:
    slide = open_slide(tiny_store_once)
    mask = suggest_spots(slide, 8)
    brightness = read_patches(slide, slide.require_spots().yx, patch_um=112, patch_px=16).mean(axis=(1, 2, 3))
    low, high = np.percentile(brightness, [20, 80])
    assert (brightness[mask] < low).any()
    assert (brightness[mask] > high).any()


def test_a_slide_without_microns_is_refused(tmp_path: Path) -> None:
    slide = open_slide(make_tiny_store(tmp_path / "tiny.zarr"))
    object.__setattr__(slide, "microns", None)
    with pytest.raises(InputError, match="has no microns per pixel"):
        suggest_spots(slide, 8)
