"""Real patches and the synthetic ones made for the same spots: which there are, and how they are read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.diffusion.pairs_on_disk import PairsOnDisk, open_pairs
from napari_c2lst.plugin.runs import find_runs
from napari_c2lst.slides.identity import spots_hash

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

SHOWN = 4  # synthetic patches of a spot in the gallery


@dataclass(frozen=True, eq=False)
class Row:
    """One spot of the gallery.

    Attributes
    ----------
    spot
        Its index among the slide's spots.
    name
        Its id.
    rows
        Rows of the pairs that were made from its expression.
    """

    spot: int
    name: str
    rows: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Paired:
    """Pairs of the open slide.

    Attributes
    ----------
    pairs
        The pairs, on disk.
    rows
        The spots they were made for, in the order of the slide.
    """

    pairs: PairsOnDisk
    rows: tuple[Row, ...]


def runs_with_pairs(folder: Path | None) -> list[Path]:
    """The finished runs of `sample` among a slide's runs, the newest first."""
    return [run.path for run in find_runs(folder) if run.task == "sample" and run.state == "finished"]


def open_paired(slide: Slide, path: Path) -> Paired:
    """Open the pairs of a run for the gallery.

    Raises
    ------
    InputError
        If they cannot be read, or were made from another slide.
    """
    from napari_c2lst.common.errors import MismatchError

    pairs, spots = open_pairs(path), slide.require_spots()
    made = pairs.facts
    same = made.slide == slide.name if made.spots_hash is None else made.spots_hash == spots_hash(spots)
    if not same:
        raise MismatchError(
            f"the pairs of '{path.name}' were made from slide '{made.slide}', not from '{slide.name}'",
            "choose other pairs, or sample from this slide",
        )
    of: dict[str, list[int]] = {}
    alone = (pairs.weight == 0) | (pairs.source_a == pairs.source_b)
    for row in np.flatnonzero(alone):
        of.setdefault(str(pairs.source_a[row]), []).append(int(row))
    rows = [
        Row(spot, str(name), np.array(of[str(name)], dtype=np.int64))
        for spot, name in enumerate(spots.ids)
        if str(name) in of
    ]
    return Paired(pairs, tuple(rows))


def read_rows(slide: Slide, paired: Paired, rows: tuple[Row, ...]) -> list[NDArray[np.uint8]]:
    """The patches of some spots: for each (1 + k, px, px, 3), the real one first, as the model sees it."""
    from napari_c2lst.slides.patches.cutting import spot_patches

    yx = slide.require_spots().yx[[row.spot for row in rows]]
    real = spot_patches(slide, yx, paired.pairs.facts.spec, workers=1)
    wanted = [row.rows[:SHOWN] for row in rows]
    made = paired.pairs.patches(np.concatenate(wanted))
    parts = np.split(made, np.cumsum([len(each) for each in wanted])[:-1])
    return [np.concatenate([one[None], some]) for one, some in zip(real, parts, strict=True)]
