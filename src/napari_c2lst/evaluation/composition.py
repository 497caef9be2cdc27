"""Nuclei of real and synthetic patches side by side: the table in words and as CSV files. Counts come from `nuclei`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_c2lst.cells.mixtures import Floor, Spread, divergence, halves_apart, spread
from napari_c2lst.common.files import disk_errors
from napari_c2lst.common.seeds import rng

from .report import NONE, aligned, as_cells, write_rows

__all__ = [
    "Composition",
    "PatchCells",
    "composition_lines",
    "composition_notes",
    "remove_composition",
    "write_composition",
]


TYPES, DISTANCE, PATCHES = "composition.csv", "composition_distance.csv", "composition_patches.csv"
FIGURE = "composition"  # its name in the folder `figures`
# How files of ours begin: others of the same names are the user's.
_BEGINNINGS = {
    TYPES: b"type,real_mean,",
    DISTANCE: b"jensen_shannon_bits,",
    PATCHES: b"patches,spot,nuclei,",
    f"figures/{FIGURE}.png": b"\x89PNG",
    f"figures/{FIGURE}.svg": b"<?xml",
}


@dataclass(frozen=True, eq=False)
class PatchCells:
    """Nuclei of a group of patches.

    Attributes
    ----------
    source
        (n,) the spot of each patch; of a synthetic one that whose expression it was drawn for, ``"A+B"`` for a mixture.
    counts
        (n, T) nuclei of each type.
    available
        How many patches there are of which these were drawn.
    """

    source: npt.NDArray[np.str_]
    counts: npt.NDArray[np.int64]
    available: int

    @cached_property
    def spread(self) -> Spread:
        """Mean and SD of the proportions."""
        return spread(self.counts)


@dataclass(frozen=True, eq=False)
class Composition:
    """Real patches against synthetic ones.

    Attributes
    ----------
    types
        T names.
    real, synthetic
        Their nuclei, found by the same weights at the same pixels.
    mpp
        Microns per pixel of both.
    divergence
        Jensen-Shannon divergence of the mean proportions, in bits; None where a group has no nuclei.
    floor
        The same between random halves of the real patches; None where there are too few.
    weights, weights_hash
        Name and content of the HoVer-Net.
    notes
        What a reader must know to judge it.
    """

    types: tuple[str, ...]
    real: PatchCells
    synthetic: PatchCells
    mpp: float
    divergence: float | None
    floor: Floor | None
    weights: str
    weights_hash: str
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, real: PatchCells, synthetic: PatchCells, *, seed: int, **rest: Any) -> Composition:
        """Compare two groups; the seed decides how the real one is halved."""
        return cls(
            real=real,
            synthetic=synthetic,
            divergence=divergence(real.counts, synthetic.counts),
            floor=halves_apart(real.counts, rng(seed, "composition", "halves")),
            **rest,
        )

    @property
    def groups(self) -> dict[str, PatchCells]:
        """Both groups by name."""
        return {"real": self.real, "synthetic": self.synthetic}

    @property
    def verdict(self) -> str:
        """What the distance says beside its floor."""
        if self.divergence is None:
            return "no distance: there are no nuclei to compare"
        if self.floor is None:
            return "too few real patches with nuclei for a floor"
        if self.divergence > self.floor.high:
            return "further apart than halves of the real patches are"
        return "no further apart than halves of the real patches are"


def composition_lines(found: Composition) -> list[str]:
    """The table as lines of text, and the distance beside its floor."""
    real, synthetic = found.real.spread, found.synthetic.spread
    rows = [
        (name, *(_plus_minus(s.mean[i], s.sd[i], 3) for s in (real, synthetic))) for i, name in enumerate(found.types)
    ]
    rows.append(("nuclei a patch", *(_plus_minus(s.nuclei_mean, s.nuclei_sd, 1) for s in (real, synthetic))))
    rows.append(("patches", *(str(s.patches) for s in (real, synthetic))))
    rows.append(("without nuclei", *(str(s.empty) for s in (real, synthetic))))
    return [
        "",
        f"Nuclei of real and synthetic patches at {found.mpp:.3g} um/px, weights '{found.weights}':"
        " proportions of types, mean ± SD over patches that have nuclei",
        *aligned(("", "real", "synthetic"), rows),
        f"  Jensen-Shannon divergence of the means: {_distance(found)}: {found.verdict}",
    ]


def composition_notes(found: Composition) -> list[str]:
    """What must be known beside the numbers: patches that are in no proportion, and patches left out."""
    said = list(found.notes)
    empty = {name: group.spread.empty for name, group in found.groups.items()}
    if any(empty.values()):
        parts = " and ".join(
            f"{empty[name]} of {len(group.counts)} {name} ones" for name, group in found.groups.items() if empty[name]
        )
        said.append(f"patches without nuclei ({parts}) have no proportions: they count in 'nuclei a patch' alone")
    drawn = [
        f"{len(group.counts)} of {group.available} {name} ones"
        for name, group in found.groups.items()
        if len(group.counts) < group.available
    ]
    if drawn:
        said.append(f"nuclei were counted in patches drawn at random ({' and '.join(drawn)})")
    return said


def write_composition(folder: Path, found: Composition) -> Path:
    """Write `composition.csv` (types), `composition_distance.csv` and `composition_patches.csv`.

    Returns
    -------
    The first of them.
    """
    write_rows(folder / DISTANCE, [_distance_row(found)])
    patches = [row for name, group in found.groups.items() for row in _patch_rows(name, group, found.types)]
    write_rows(folder / PATCHES, patches)
    return write_rows(folder / TYPES, [_type_row(found, i) for i in range(len(found.types))])


def remove_composition(folder: Path) -> None:
    """Remove what an earlier evaluation said of nuclei, tables and violins: nobody is to read it beside new scores.

    Raises
    ------
    InputError
        If they cannot be removed.
    """
    with disk_errors(folder):
        for name, beginning in _BEGINNINGS.items():
            file = folder / name
            if file.is_file() and _begins(file, beginning):
                file.unlink()


def _begins(file: Path, beginning: bytes) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(beginning)) == beginning


def _distance(found: Composition) -> str:
    value = NONE if found.divergence is None else f"{found.divergence:.4f} bits"
    if found.floor is None:
        return value
    return f"{value}; of random halves of the real patches {found.floor.median:.4f} (95 % below {found.floor.high:.4f})"


def _plus_minus(mean: float, sd: float, digits: int) -> str:
    if np.isnan(mean):
        return NONE
    return f"{mean:.{digits}f}" + ("" if np.isnan(sd) else f" ± {sd:.{digits}f}")


def _type_row(found: Composition, i: int) -> dict[str, str]:
    row: dict[str, Any] = {"type": found.types[i]}
    for name, group in found.groups.items():
        row[f"{name}_mean"] = _defined(group.spread.mean[i])
        row[f"{name}_sd"] = _defined(group.spread.sd[i])
        row[f"{name}_nuclei"] = int(group.counts[:, i].sum())
    row["difference"] = _defined(found.synthetic.spread.mean[i] - found.real.spread.mean[i])
    return as_cells(row)


def _distance_row(found: Composition) -> dict[str, str]:
    floor = found.floor
    row: dict[str, Any] = {
        "jensen_shannon_bits": NONE if found.divergence is None else found.divergence,
        "floor_median": NONE if floor is None else floor.median,
        "floor_95": NONE if floor is None else floor.high,
        "floor_repeats": 0 if floor is None else floor.repeats,
        "verdict": found.verdict,
    }
    for name, group in found.groups.items():
        row[f"{name}_patches"] = group.spread.patches
        row[f"{name}_without_nuclei"] = group.spread.empty
        row[f"{name}_nuclei_mean"] = _defined(group.spread.nuclei_mean)
        row[f"{name}_nuclei_sd"] = _defined(group.spread.nuclei_sd)
    return as_cells({**row, "mpp": found.mpp, "weights": found.weights, "weights_hash": found.weights_hash})


def _patch_rows(name: str, group: PatchCells, types: tuple[str, ...]) -> list[dict[str, str]]:
    return [
        as_cells(
            {"patches": name, "spot": spot, "nuclei": int(row.sum()), **dict(zip(types, row.tolist(), strict=True))}
        )
        for spot, row in zip(group.source.tolist(), group.counts, strict=True)
    ]


def _defined(value: float) -> float | str:
    return NONE if np.isnan(value) else float(value)
