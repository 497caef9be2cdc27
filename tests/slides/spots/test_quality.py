from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.slides.stores import tiny_counts, tiny_image, tiny_positions

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.spots.quality import SpotQuality, spot_quality


@pytest.fixture
def quality() -> SpotQuality:
    return SpotQuality(np.array([0.0, 99, 100, 500]), np.array([0, 60, 40, 200]), np.array([0.0, 0.5, 1.0, 1.0]))


def test_a_spot_at_a_threshold_is_kept(quality: SpotQuality) -> None:
    assert quality.low(min_counts=100).tolist() == [True, True, False, False]
    assert quality.low(min_genes=60).tolist() == [True, False, True, False]
    assert quality.low(min_tissue=0.5).tolist() == [True, False, False, False]
    assert not quality.low().any()


def test_a_spot_below_any_threshold_is_low(quality: SpotQuality) -> None:
    thresholds = {"min_counts": 100, "min_genes": 60, "min_tissue": 0.5}
    assert quality.low(**thresholds).tolist() == [True, True, True, False]
    assert quality.low_numbers(**thresholds) == {
        "fewer than 100 counts": 2,
        "fewer than 60 genes": 2,
        "less than 50 % tissue": 1,
    }
    assert quality.low_numbers() == {}


def test_tissue_that_was_not_looked_at() -> None:
    blind = SpotQuality(np.array([5.0]), np.array([5]))
    assert not blind.low(min_counts=5).any()
    with pytest.raises(InputError, match="tissue under the spots was not looked at"):
        blind.low(min_tissue=0.1)
    assert set(blind.summary()) == {"counts", "genes"}


def test_summary_and_lines(quality: SpotQuality) -> None:
    summary = quality.summary()
    assert summary["counts"] == {"lowest": 0, "5 %": pytest.approx(14.85), "median": 99.5, "highest": 500}
    assert summary["genes"]["median"] == 50
    lines = quality.lines()
    assert lines[0] == "counts of a spot: median 100 (5 % have less than 15, the highest 500)"
    assert lines[2] == "tissue under a spot: median 75 % (5 % have less than 8 %, the highest 100 %)"
    assert SpotQuality(np.zeros(0), np.zeros(0, int)).lines() == []


def test_counts_and_genes_of_a_store(tiny_store_once: Path) -> None:
    slide = open_slide(tiny_store_once)
    quality = spot_quality(slide, tissue=False)
    counts = tiny_counts(tiny_positions()[0])
    assert len(quality) == 63
    assert np.array_equal(quality.counts, counts.sum(axis=1))
    assert np.array_equal(quality.genes, (counts > 0).sum(axis=1))
    assert quality.tissue is None


def test_tissue_under_the_spots_of_a_store(tiny_store_once: Path) -> None:
    quality = spot_quality(open_slide(tiny_store_once))
    assert quality.tissue is not None
    assert quality.tissue.min() >= 0
    assert quality.tissue.max() <= 1
    _, yx = tiny_positions()
    centre = np.linalg.norm((yx / [300, 400] - 0.45) / 0.5, axis=1)
    assert quality.tissue[centre < 0.6].min() > 0.8
    assert quality.tissue[centre > 1.1].max() < 0.2


def test_the_square_looked_at_can_be_chosen(tiny_store_once: Path) -> None:
    slide = open_slide(tiny_store_once)
    narrow, wide = (spot_quality(slide, side_um=side).tissue for side in (20.0, 400.0))
    assert narrow is not None
    assert wide is not None
    assert np.isin(np.round(narrow, 6), (0, 1)).mean() > np.isin(np.round(wide, 6), (0, 1)).mean()


def test_an_image_alone_has_no_spots(tmp_path: Path) -> None:
    Image.fromarray(np.moveaxis(tiny_image(), 0, -1)).save(tmp_path / "tissue.jpg")
    with pytest.raises(InputError, match="slide 'tissue' has no spots"):
        spot_quality(open_slide(tmp_path / "tissue.jpg", mpp=2.5))


def test_normalised_counts_are_refused(tiny_store: Path) -> None:
    slide = open_slide(tiny_store)
    slide.sdata.tables["table"].X = slide.sdata.tables["table"].X / 3
    with pytest.raises(InputError, match="already normalised"):
        spot_quality(slide, tissue=False)


def test_her2st_b4_is_as_its_source_says(shared: Path) -> None:
    quality = spot_quality(open_slide(shared / "her2st" / "B4"), tissue=False)
    assert len(quality) == 283
    assert quality.summary()["counts"]["median"] == 648
    assert quality.summary()["genes"]["median"] == 537


def test_spots_without_any_count_are_said_as_such() -> None:
    empty = SpotQuality(np.array([0.0, 0, 0, 7]), np.array([0, 0, 0, 3]), np.array([0.0, 0.0, 1.0, 1.0]))
    assert empty.lines() == [
        "counts of a spot: median 0 (5 % or more have none, the highest 7)",
        "genes of a spot: median 0 (5 % or more have none, the highest 3)",
        "tissue under a spot: median 50 % (5 % or more have none, the highest 100 %)",
    ]


def test_a_share_that_reads_as_nothing() -> None:
    tissue = np.array([0.001, 0.001, 0.5, 1.0])
    line = SpotQuality(np.ones(4), np.ones(4, int), tissue).lines()[2]
    assert line == "tissue under a spot: median 25 % (5 % have hardly any, the highest 100 %)"


def test_every_spot_without_counts() -> None:
    assert SpotQuality(np.zeros(3), np.zeros(3, int)).lines()[0] == "counts of a spot: 0 in every one"


def test_a_number_of_its_own_is_never_called_less_than_zero() -> None:
    rng = np.random.default_rng(0)
    for top in (1, 2, 5, 1000):
        quality = SpotQuality(rng.integers(0, top, 40).astype(float), rng.integers(0, top, 40))
        assert not any("less than 0" in line for line in quality.lines())


def plain(tissue: bool = True) -> SpotQuality:
    counts = np.array([0, 10, 100, 1000])
    return SpotQuality(counts, counts // 2, np.array([0.0, 0.2, 0.5, 1.0]) if tissue else None)


@pytest.mark.parametrize(
    ("thresholds", "low"),
    [
        ({}, []),
        ({"min_counts": 1}, [0]),
        ({"min_counts": 100}, [0, 1]),
        ({"min_genes": 50}, [0, 1]),
        ({"min_tissue": 0.5}, [0, 1]),
        ({"min_counts": 5, "min_tissue": 0.9}, [0, 1, 2]),
        ({"min_counts": 1e9}, [0, 1, 2, 3]),
    ],
)
def test_low_spots_by_threshold(thresholds: dict[str, float], low: list[int]) -> None:
    assert np.flatnonzero(plain().low(**thresholds)).tolist() == low
    numbers = plain().low_numbers(**thresholds)
    assert len(numbers) == len(thresholds)
    assert max(numbers.values(), default=0) <= len(low) <= sum(numbers.values())


def test_thresholds_are_said_as_a_reader_would() -> None:
    said = plain().low_numbers(min_counts=500, min_genes=2.5, min_tissue=0.25)
    assert said == {"fewer than 500 counts": 3, "fewer than 2.5 genes": 1, "less than 25 % tissue": 2}


def test_no_spots_have_no_summary_and_none_is_low() -> None:
    nothing = SpotQuality(np.zeros(0), np.zeros(0), np.zeros(0))
    assert (nothing.summary(), nothing.lines(), len(nothing)) == ({}, [], 0)
    assert nothing.low(min_counts=5, min_tissue=0.5).shape == (0,)


def test_without_tissue_its_threshold_is_refused_and_the_others_hold() -> None:
    blind = plain(tissue=False)
    assert set(blind.summary()) == {"counts", "genes"}
    assert blind.low(min_counts=50).sum() == 2
    for ask in (blind.low, blind.low_numbers):
        with pytest.raises(InputError, match="was not looked at"):
            ask(min_counts=50, min_tissue=0.5)
