"""Cells as `c2lst cells` writes them, on the tiny slide: every one of them is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.slides.stores import make_tiny_store

from napari_c2lst.cells.composition import composition_table, count_types, spot_of_cells
from napari_c2lst.cells.elements import cell_shapes, cell_table, cells_uns, type_column
from napari_c2lst.cells.facts import CONSEP_TYPES, CellFacts
from napari_c2lst.cells.found import Found
from napari_c2lst.cells.joining import polygons
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.store.results import write_elements

FACTS = CellFacts(
    mode="fast",
    nr_types=5,
    types=CONSEP_TYPES,
    mpp=2.5,
    name="narrow",
    licence="research use",
    notice="for research use only",
)
NAMES = FACTS.type_names
RADIUS = 4  # octagons around (x, y), in pixels of the slide
OCTAGON = np.array([(4, 1), (4, -1), (1, -4), (-1, -4), (-4, -1), (-4, 1), (-1, 4), (1, 4)])


def places(step: int = 12) -> NDArray[np.int64]:
    """(n, 2) (x, y) on a grid over the tiny slide of 300 x 400 px."""
    y, x = np.mgrid[10:290:step, 10:390:step]
    return np.stack([x.ravel(), y.ravel()], axis=1)


def kinds(n: int) -> NDArray[np.int64]:
    """(n,) types from 1, by turns; the last nucleus has none."""
    kind = 1 + np.arange(n) % len(NAMES)
    kind[-1] = 0
    return kind


def found_at(xy: NDArray[np.int64], kind: NDArray[np.int64]) -> Found:
    """Octagonal nuclei."""
    n = len(xy)
    return Found(
        tile=np.zeros(n, np.int64),
        own=np.ones(n, bool),
        rim=np.zeros(n, bool),
        type=kind.astype(np.uint8),
        type_prob=np.linspace(0.5, 1.0, n, dtype=np.float32),
        area=np.full(n, 56, np.int32),
        centroid=xy.astype(np.float64) - 0.5,
        corners=(xy[:, None, :] - 0.5 + OCTAGON).reshape(-1, 2).round().astype(np.int32),
        length=np.full(n, len(OCTAGON), np.int32),
    )


def write_cells(path: Path, name: str = "narrow", step: int = 12, facts: CellFacts = FACTS) -> Found:
    """Write cells, and the composition of spots, into a store."""
    slide = open_slide(path)
    xy = places(step)
    found = found_at(xy, kinds(len(xy)))
    region, column = f"c2lst_cells_{name}", type_column(found, facts)
    uns = cells_uns("cells", name, facts, "sha256:x", slide.mpp)
    spot = spot_of_cells(slide, (found.centroid + 0.5))
    counts = count_types(spot, column, len(slide.require_spots()), len(facts.type_names))
    told = cells_uns("composition", name, facts, "sha256:x", slide.mpp)
    write_elements(
        slide,
        shapes={region: cell_shapes(slide, polygons(found))},
        tables={
            f"{region}_table": cell_table(region, found, facts, 1.0, uns),
            f"c2lst_composition_{name}": composition_table(slide, counts, facts.type_names, told),
        },
    )
    return found


def make_cells_store(path: Path) -> Path:
    """The tiny slide with cells named `narrow`."""
    make_tiny_store(path)
    write_cells(path)
    return path
