"""The table of nuclei, real against synthetic, in words and as CSV."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_c2lst.evaluation.composition import (
    Composition,
    PatchCells,
    composition_lines,
    composition_notes,
    write_composition,
)

REAL = np.array([[1, 3], [0, 0], [2, 2], [0, 4], [1, 3]])  # shares of the first type: 1/4, none, 1/2, 0, 1/4
SYNTHETIC = np.array([[4, 0], [2, 2]])  # 1, 1/2


def group(counts: np.ndarray, available: int | None = None) -> PatchCells:
    names = np.array([f"spot{i}" for i in range(len(counts))])
    return PatchCells(names, counts, len(counts) if available is None else available)


def compared(real: np.ndarray = REAL, synthetic: np.ndarray = SYNTHETIC, **values: Any) -> Composition:
    rest = {"types": ("epithelial", "other"), "mpp": 0.5, "weights": "tiny", "weights_hash": "sha256:1"}
    return Composition.of(group(real), group(synthetic), seed=0, **{**rest, **values})


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_in_words() -> None:
    lines = composition_lines(compared())
    assert lines[1].startswith("Nuclei of real and synthetic patches at 0.5 um/px, weights 'tiny'")
    assert [line.split() for line in lines[2:8]] == [
        ["real", "synthetic"],
        ["epithelial", "0.250", "±", "0.204", "0.750", "±", "0.354"],
        ["other", "0.750", "±", "0.204", "0.250", "±", "0.354"],
        ["nuclei", "a", "patch", "3.2", "±", "1.8", "4.0", "±", "0.0"],
        ["patches", "5", "2"],
        ["without", "nuclei", "1", "0"],
    ]
    assert "Jensen-Shannon divergence of the means: 0.1887 bits; of random halves of the real patches" in lines[8]


def test_distance_of_the_means_by_hand() -> None:
    """p = (1/4, 3/4), q = (3/4, 1/4), m = (1/2, 1/2): 1 bit less the entropy of a quarter, 0.8113 bits."""
    found = compared()
    assert found.divergence == pytest.approx(1 - 0.8112781, abs=1e-6)
    assert found.floor is not None
    assert found.floor.repeats == 1000


def test_what_the_floor_says() -> None:
    real = np.random.default_rng(0).multinomial(20, [0.5, 0.5], size=60)
    near = np.random.default_rng(1).multinomial(20, [0.5, 0.5], size=600)
    far = np.random.default_rng(1).multinomial(20, [0.7, 0.3], size=600)
    assert compared(real, near).verdict.startswith("no further apart than halves")
    assert compared(real, far).verdict == "further apart than halves of the real patches are"
    assert compared(real[:3], far).verdict == "too few real patches with nuclei for a floor"
    assert compared(real, np.zeros((4, 2), int)).verdict.startswith("no distance")


def test_patches_without_nuclei_and_those_not_looked_at_are_said() -> None:
    found = Composition.of(
        group(REAL),
        group(SYNTHETIC, available=600),
        seed=0,
        types=("a", "b"),
        mpp=1.0,
        weights="w",
        weights_hash="h",
        notes=("research use",),
    )
    notes = composition_notes(found)
    assert notes[0] == "research use"
    assert notes[1].startswith("patches without nuclei (1 of 5 real ones) have no proportions")
    assert "(2 of 600 synthetic ones)" in notes[2]
    assert composition_notes(compared(REAL[2:])) == []


def test_csv_files(tmp_path: Path) -> None:
    found = compared()
    path = write_composition(tmp_path, found)
    first, second = rows_of(path)
    assert path.name == "composition.csv"
    assert first == {
        "type": "epithelial", "real_mean": "0.25", "real_sd": "0.204124", "real_nuclei": "4",
        "synthetic_mean": "0.75", "synthetic_sd": "0.353553", "synthetic_nuclei": "6", "difference": "0.5",
    }  # fmt: skip
    assert (second["type"], second["difference"]) == ("other", "-0.5")
    (distance,) = rows_of(tmp_path / "composition_distance.csv")
    assert float(distance["jensen_shannon_bits"]) == pytest.approx(0.188722, abs=1e-6)
    assert found.floor is not None
    assert float(distance["floor_95"]) == pytest.approx(found.floor.high, rel=1e-5)
    assert float(distance["floor_median"]) == pytest.approx(found.floor.median, rel=1e-5)
    assert (distance["real_patches"], distance["real_without_nuclei"], distance["mpp"]) == ("5", "1", "0.5")
    assert (distance["synthetic_nuclei_mean"], distance["weights_hash"]) == ("4", "sha256:1")
    patches = rows_of(tmp_path / "composition_patches.csv")
    assert len(patches) == 7
    assert patches[0] == {"patches": "real", "spot": "spot0", "nuclei": "4", "epithelial": "1", "other": "3"}
    assert patches[5]["patches"] == "synthetic"


def test_what_is_not_defined_reads_none(tmp_path: Path) -> None:
    found = compared(REAL[:1], np.zeros((2, 2), int))
    text = "\n".join(composition_lines(found))
    assert "epithelial       0.250        none" in text
    assert "means: none: no distance" in text
    row = rows_of(write_composition(tmp_path, found))[0]
    assert (row["real_mean"], row["real_sd"]) == ("0.25", "none")
    assert (row["synthetic_mean"], row["difference"]) == ("none", "none")
    (distance,) = rows_of(tmp_path / "composition_distance.csv")
    assert (distance["jensen_shannon_bits"], distance["floor_95"], distance["floor_repeats"]) == ("none", "none", "0")


def test_the_seed_decides_the_halves() -> None:
    rest = {"types": ("a", "b"), "mpp": 1.0, "weights": "w", "weights_hash": "h"}
    real = group(np.random.default_rng(0).multinomial(9, [0.4, 0.6], size=30))
    floors = [Composition.of(real, group(SYNTHETIC), seed=seed, **rest).floor for seed in (0, 0, 1)]
    assert floors[0] == floors[1] != floors[2]
