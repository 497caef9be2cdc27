"""The table of nuclei, real against synthetic, in words and as CSV."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.evaluation.composition import (
    Composition,
    PatchCells,
    composition_lines,
    composition_notes,
    remove_composition,
    write_composition,
)
from napari_c2lst.evaluation.evaluating import _composition_picture

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


def violins(folder: Path) -> list[Path]:
    """The picture as `evaluate` draws it."""
    return [_composition_picture(compared(), folder / "figures", "S1").png, folder / "figures" / "composition.svg"]


def test_nothing_of_an_earlier_evaluation_stays(tmp_path: Path) -> None:
    write_composition(tmp_path, compared())
    assert all(file.exists() for file in violins(tmp_path))
    others = [tmp_path / "scores.csv", tmp_path / "figures" / "scores.png", tmp_path / "composition.txt"]
    for other in others:
        other.write_text("kept")
    remove_composition(tmp_path)
    assert sorted(p for p in tmp_path.rglob("*") if p.is_file()) == sorted(others)


def test_files_of_the_user_with_those_names_stay(tmp_path: Path) -> None:
    mine = tmp_path / "composition.csv"
    mine.write_text("instrument,violin\n")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "composition.png").write_bytes(b"GIF89a")
    (tmp_path / "composition_patches.csv").mkdir()
    remove_composition(tmp_path)
    assert mine.read_text() == "instrument,violin\n"
    assert (tmp_path / "figures" / "composition.png").exists()
    assert (tmp_path / "composition_patches.csv").is_dir()


def test_without_an_earlier_one_there_is_nothing_to_remove(tmp_path: Path) -> None:
    remove_composition(tmp_path)
    remove_composition(tmp_path / "not there")
    assert not list(tmp_path.iterdir())


def test_one_that_cannot_be_removed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on Windows, where a table that is open elsewhere is locked."""
    write_composition(tmp_path, compared())

    def locked(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "unlink", locked)
    with pytest.raises(InputError, match=re.escape(str(tmp_path))):
        remove_composition(tmp_path)


def test_a_table_written_again_is_that_of_the_last(tmp_path: Path) -> None:
    """Types of other weights: no line and no column of the first may stay."""
    write_composition(tmp_path, compared())
    three = np.array([[1, 2, 3], [0, 1, 0]])
    write_composition(tmp_path, compared(three, three[:1], types=("a", "b", "c")))
    assert [row["type"] for row in rows_of(tmp_path / "composition.csv")] == ["a", "b", "c"]
    patches = rows_of(tmp_path / "composition_patches.csv")
    assert [row["patches"] for row in patches] == ["real", "real", "synthetic"]
    assert set(patches[0]) == {"patches", "spot", "nuclei", "a", "b", "c"}
    assert patches[0]["nuclei"] == "6"


@pytest.mark.parametrize(
    ("real", "synthetic", "said"),
    [
        (np.zeros((3, 2), int), SYNTHETIC, "no distance"),
        (REAL, np.zeros((2, 2), int), "no distance"),
        (REAL[:1], SYNTHETIC, "too few real patches"),
        (np.tile([[1, 3]], (8, 1)), np.array([[4, 0]]), "further apart"),
        (REAL, REAL, "no further apart"),
    ],
)
def test_the_verdict(real: np.ndarray, synthetic: np.ndarray, said: str) -> None:
    found = compared(real, synthetic)
    assert found.verdict.startswith(said)
    assert said in composition_lines(found)[-1]
