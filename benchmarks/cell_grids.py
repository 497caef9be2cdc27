"""Whether nuclei depend on how a slide is cut into tiles; run by `cells.py grids`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import shapely
from numpy.typing import NDArray
from PIL import Image

from napari_c2lst.cells.density import slide_factors
from napari_c2lst.cells.found import Found, joined
from napari_c2lst.cells.inference import NucleusNet
from napari_c2lst.cells.joining import on_tissue, polygons, stitched
from napari_c2lst.cells.spreading import here
from napari_c2lst.cells.tiling import tissue_tiling
from napari_c2lst.cells.training.stitching import stitch
from napari_c2lst.cells.weights import load_hovernet
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.sample_data import sample_slide_path
from napari_c2lst.slides.slide import Slide

Box = tuple[int, int, int, int]  # top, left, bottom, right in pixels of the network
Grid = tuple[int, int, int]  # side of a tile, shift of the grid, workers

FIRST: Grid = (256, 0, 2)
OTHERS: tuple[Grid, ...] = ((256, 8, 2), (256, 16, 1), (256, 40, 2), (384, 0, 1))
SAMPLE_BOX: Box = (7900, 2300, 8600, 3000)  # the densest tissue of the sample slide
_NEAR = 32  # tiles that begin so near the box may hold nuclei that reach into it


def compare_grids(weights: str, data: Path, box: Box = SAMPLE_BOX, others: tuple[Grid, ...] = OTHERS) -> float:
    """Print the share of nuclei that are the same on every grid; the smallest comes back."""
    model = load_hovernet(weights)
    least = 1.0
    with tempfile.TemporaryDirectory() as folder:
        places = ((consep_slide(data, Path(folder)), (0, 0, 1000, 1000)), (open_slide(sample_slide_path()), box))
        for slide, part in places:
            _, tissue = tissue_tiling(slide, model.facts.mode, model.facts.mpp, FIRST[0])
            net = NucleusNet(model, "cpu", "bf16", density=slide_factors(slide, model.facts, tissue))
            print(f"\n{slide.name}: densities times {net.density}\n| tile, shift, workers | nuclei | IoU 0.8 | same |")
            print("|---|---|---|---|", flush=True)
            one = nuclei(net, slide, part, FIRST)
            print(f"| {_text(FIRST)} | {len(inside(one, part))} | - | - |", flush=True)
            for grid in others:
                least = min(least, _row(one, nuclei(net, slide, part, grid), part, grid))
    return least


def _row(one: Found, other: Found, part: Box, grid: Grid) -> float:
    there, back = matched(inside(one, part), other), matched(inside(other, part), one)
    n, m = len(there), len(back)
    share = min(there.mean(), back.mean())
    print(f"| {_text(grid)} | {m} | {there.sum()} of {n}, {back.sum()} of {m} | {share:.2%} |", flush=True)
    return float(share)


def _text(grid: Grid) -> str:
    return f"{grid[0]} px, {grid[1]} px, {grid[2]}"


def consep_slide(data: Path, folder: Path, tile: int = 5) -> Slide:
    """A tile of CoNSeP's test split, 250 um a side."""
    parts = [Image.open(data / "images" / "test" / f"test_{tile}_{i:03d}.jpg").convert("RGB") for i in range(16)]
    file = folder / f"CoNSeP-test-{tile}.png"
    Image.fromarray(stitch([np.asarray(part) for part in parts]).astype(np.uint8)).save(file)
    return open_slide(file, mpp=0.25)


def nuclei(net: Any, slide: Slide, box: Box, grid: Grid) -> Found:
    """Nuclei of the tiles that reach into a box, joined as `c2lst cells` does it."""
    core, shift, workers = grid
    tiling, tissue = tissue_tiling(slide, net.facts.mode, net.facts.mpp, core, (shift, shift))
    low, high = np.array(box[:2]) - _NEAR, np.array(box[2:]) + _NEAR
    near = np.all((tiling.origin + core > low) & (tiling.origin < high), axis=1)
    tiling = tiling.some(np.flatnonzero(near))
    done = here(net, slide, tiling, list(enumerate(tiling.groups(4))), workers, Reporter())
    return stitched(on_tissue(joined([found for _, found, _ in done]), tissue, tiling.px))


def inside(found: Found, box: Box) -> Found:
    """Those whose centroid lies in a box."""
    yx = found.centroid[:, ::-1]
    return found.keep(np.all((yx >= box[:2]) & (yx < box[2:]), axis=1))


def matched(one: Found, other: Found, least: float = 0.8) -> NDArray[np.bool_]:
    """(n,) which nuclei of `one` have their like in `other`."""
    a, b = polygons(one), polygons(other)
    i, j = shapely.STRtree(b).query(a, predicate="intersects")
    shared = shapely.area(shapely.intersection(a[i], b[j]))
    iou = shared / (shapely.area(a[i]) + shapely.area(b[j]) - shared)
    return np.isin(np.arange(len(a)), i[iou >= least])
