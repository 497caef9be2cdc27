"""How quickly the plugin shows slides and genes, and in how much memory: a real napari window.

    xvfb-run -a python benchmarks/plugin_speed.py [--large LARGE.ome.tif]

Three slides are made up: 5,000 spots x 30,000 genes; 500,500 Visium HD bins of 8 um x 18,000 genes (a Space Ranger
folder, read as any other); 40,000 x 40,000 px as a pyramid of chunks that are counted. With `--large` a real file
(`benchmarks/large_slide.py` makes one) is panned instead. Each is measured in a process of its own. A time ends when
the window is drawn; beside it stands the processor time of the whole process, drawing in software included.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask.array as da
import h5py
import numpy as np
import pandas as pd
import psutil
from anndata import AnnData
from PIL import Image
from scipy.sparse import csr_matrix, random_array
from spatialdata import SpatialData

from napari_c2lst.plugin.looking.maps import Prepared
from napari_c2lst.plugin.looking.predictions import Prediction
from napari_c2lst.plugin.looking.shown import MODES, Surfaces
from napari_c2lst.plugin.looking.values import GeneMatrix, MapValues
from napari_c2lst.plugin.shared import forget, shared_of
from napari_c2lst.slides.images.pyramid import Pyramid
from napari_c2lst.slides.opening import open_slide
from napari_c2lst.slides.slide import Microns, Slide, Spots

ROWS, COLUMNS, HD_GENES, PER_BIN = 700, 715, 18_000, 60
SIDE = 40_000


@dataclass
class Times:
    """Seconds on the clock and of the processor."""

    wall: list[float]
    processor: list[float]


class Window:
    """A napari window whose frames are waited for."""

    def __init__(self) -> None:
        import napari
        from qtpy.QtWidgets import QApplication

        self.viewer = napari.Viewer(show=True)
        self.viewer.window._qt_window.resize(1280, 800)
        self.app = QApplication.instance()
        self.frames = 0
        scene = self.viewer.window._qt_viewer.canvas._scene_canvas
        scene.events.draw.connect(self._on_draw, position="last")
        self.shared = shared_of(self.viewer)
        self.settle()

    def _on_draw(self, _event: Any) -> None:
        self.frames += 1

    def settle(self, seconds: float = 0.5) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or self.shared.canvas.colouring.reading:
            self.app.processEvents()
            time.sleep(0.002)

    def timed(self, action: Callable[[], Any]) -> float:
        """Seconds from an action to the end of the frame that shows it."""
        frames, start = self.frames, time.perf_counter()
        action()
        while self.frames == frames:
            self.app.processEvents()
            if time.perf_counter() - start > 60:
                raise RuntimeError("nothing was drawn for a minute")
        return time.perf_counter() - start

    def times(self, actions: list[Callable[[], Any]]) -> Times:
        wall, processor = [], []
        for action in actions:
            before = time.process_time()
            wall.append(self.timed(action))
            processor.append(time.process_time() - before)
            self.settle(0.05)
        return Times(wall, processor)

    def switches(self, genes: list[str]) -> Times:
        return self.times([partial(self.shared.session.show_gene, gene) for gene in genes])

    def zooms(self) -> Times:
        return self.times([partial(self.zoom_by, f) for f in (1.5, 1.5, 2.0, 0.5, 1 / 1.5, 1 / 1.5)])

    def zoom_by(self, factor: float) -> None:
        self.viewer.scene.camera.zoom *= factor

    def pans(self, number: int) -> Times:
        return self.times([self.pan] * number)

    def pan(self) -> None:
        y, x = self.viewer.scene.camera.center[-2:]
        self.viewer.scene.camera.center = (0, y + 30, x + 40)

    def close(self) -> None:
        forget(self.viewer)
        self.viewer.close()
        self.app.processEvents()


def spots_slide(n: int = 5_000, genes: int = 30_000) -> Slide:
    rng = np.random.default_rng(0)
    counts = csr_matrix(
        random_array((n, genes), density=0.1, rng=rng, dtype=np.float32, data_sampler=ones_and_more(rng))
    )
    table = AnnData(counts, var=pd.DataFrame(index=[f"GENE{i}" for i in range(genes)]))
    side = int(np.ceil(np.sqrt(n)))
    rc = np.array([(i // side, i % side) for i in range(n)])
    level = da.full((3, 8_000, 8_000), 220, dtype=np.uint8, chunks=(3, 1024, 1024))
    sdata = SpatialData(tables={"table": table})
    return Slide(
        name="spots", path=Path("spots"), kind="made up", sdata=sdata, image_name="image",
        shapes_name="spots", table_name="table", coordinate_system="global",
        pyramid=Pyramid([level, level[:, ::4, ::4]], [1.0, 4.0]), microns=Microns(0.5, "given", "made up"),
        spots=Spots(np.array([f"s{i}" for i in range(n)]), rc * 110.0 + 60, 40.0, rc), is_zarr=False,
    )  # fmt: skip


def ones_and_more(rng: np.random.Generator) -> Callable[..., np.ndarray]:
    return lambda size: 1 + rng.geometric(0.5, size).astype(np.float32)


def write_hd(folder: Path) -> Path:
    """A Space Ranger folder of Visium HD with bins of 8 um on a 5.6 x 5.7 mm area."""
    rng = np.random.default_rng(0)
    bins = ROWS * COLUMNS
    spatial = folder / "binned_outputs" / "square_008um" / "spatial"
    spatial.mkdir(parents=True)
    row, column = np.divmod(np.arange(bins), COLUMNS)
    names = [f"s_008um_{r:05d}_{c:05d}-1" for r, c in zip(row, column, strict=True)]
    turn = np.deg2rad(2.0)
    step = 8 / 0.5  # full-resolution pixels of 0.5 um
    y = 300 + step * (row * np.cos(turn) + column * np.sin(turn))
    x = 700 + step * (column * np.cos(turn) - row * np.sin(turn))
    positions = {"barcode": names, "in_tissue": 1, "array_row": row, "array_col": column}
    pd.DataFrame({**positions, "pxl_row_in_fullres": y, "pxl_col_in_fullres": x}).to_parquet(
        spatial / "tissue_positions.parquet"
    )
    scale = 0.2
    Image.fromarray(rng.integers(150, 240, (2600, 2600, 3), dtype=np.uint8)).save(spatial / "tissue_hires_image.png")
    scales = {"tissue_hires_scalef": scale, "tissue_lowres_scalef": scale / 10, "microns_per_pixel": 0.5}
    scales |= {"spot_diameter_fullres": step, "fiducial_diameter_fullres": 100.0, "bin_size_um": 8.0}
    (spatial / "scalefactors_json.json").write_text(json.dumps(scales))
    with h5py.File(spatial.parent / "filtered_feature_bc_matrix.h5", "w") as file:
        matrix = file.create_group("matrix")
        matrix["barcodes"] = np.array(names, dtype="S")
        matrix["shape"] = np.array([HD_GENES, bins], dtype=np.int32)
        matrix["indptr"] = np.arange(bins + 1, dtype=np.int64) * PER_BIN
        genes = np.sort((HD_GENES * rng.random((bins, PER_BIN)) ** 3).astype(np.int32), axis=1)
        matrix["indices"] = genes.ravel()
        matrix["data"] = (1 + rng.geometric(0.6, bins * PER_BIN)).astype(np.int32)
        matrix["features/name"] = np.array([f"GENE{i}" for i in range(HD_GENES)], dtype="S")
        matrix["features/id"] = matrix["features/name"][:]
    return folder


class Counted:
    """A pyramid of 40,000 px whose chunks are counted when they are decoded."""

    def __init__(self) -> None:
        self.bytes = 0
        levels = [self._level(SIDE // 4**i) for i in range(4)]
        self.pyramid = Pyramid(levels, [4.0**i for i in range(4)])

    def _level(self, side: int) -> Any:
        return da.zeros((3, side, side), dtype=np.uint8, chunks=(3, 512, 512)).map_blocks(self._decode, dtype=np.uint8)

    def _decode(self, block: np.ndarray) -> np.ndarray:
        self.bytes += block.nbytes
        return np.random.default_rng(0).integers(120, 250, block.shape, dtype=np.uint8)


def memory_mb() -> float:
    return psutil.Process().memory_info().rss / 2**20


def say(what: str, seconds: Times | float) -> None:
    if isinstance(seconds, float):
        print(f"{what}: {seconds:.2f} s")
        return
    wall, processor = statistics.median(seconds.wall), statistics.median(seconds.processor)
    print(f"{what}: median {wall * 1000:.0f} ms ({processor * 1000:.0f} ms of processor), "
          f"slowest {max(seconds.wall) * 1000:.0f} ms")  # fmt: skip


def measure_spots() -> None:
    window = Window()
    slide = spots_slide()
    say("5,000 spots x 30,000 genes: open and draw", window.timed(lambda: window.shared.session.open(slide)))
    start = time.perf_counter()
    window.settle()
    say("5,000 spots: counts by gene, in a thread", time.perf_counter() - start - 0.5)
    say("5,000 spots: switch gene", window.switches([f"GENE{i}" for i in range(0, 20_000, 1000)]))
    say("5,000 spots: zoom", window.zooms())
    window.close()


def predictions_of(slide: Slide, genes: int = 250) -> Prepared:
    """Predictions of a few hundred genes on every spot of a slide, ready to be drawn."""
    rng = np.random.default_rng(1)
    names, n = slide.genes[:genes], len(slide.require_spots())
    predictor = SimpleNamespace(arm="real", training_ids=(), panel=SimpleNamespace(genes=names))
    written: Any = SimpleNamespace(name="made up", predictor=predictor, mpp=slide.mpp)
    yx = slide.require_spots().yx
    measured = rng.gamma(1.0, 1.0, (n, genes)).astype(np.float32)
    predicted = (0.5 * measured + rng.gamma(1.0, 0.5, (n, genes))).astype(np.float32)
    values = MapValues(
        prediction=Prediction("made_up", "spots", written, n, n, False), yx=yx,
        predicted=GeneMatrix(names, predicted), spread=None, spot=np.arange(n), held_out=np.ones(n, bool),
        lattice=None, stride_px=None, measured=GeneMatrix(names, measured), spots_yx=yx,
    )  # fmt: skip
    return Prepared(slide, values, "spots", None)


def measure_maps() -> None:
    """Predicted maps of 5,000 spots through the panel "Look": what a user who chooses another gene waits for."""
    from napari_c2lst.plugin.looking.panel import LookPanel

    window = Window()
    slide = spots_slide()
    window.timed(lambda: window.shared.session.open(slide))
    window.settle()
    panel = LookPanel(window.viewer)
    panel.resize(380, 700)
    ready = predictions_of(slide)
    panel.choices.offer([ready.values.prediction])
    panel._use_prepared(ready)
    panel.show()
    genes = list(ready.values.predicted.genes[1:21])
    for form in ("spots", "smooth"):
        if form == "smooth":
            panel._use_prepared(Prepared(slide, ready.values, form, Surfaces(ready.values, form)))
        for mode in ("predicted", "beside", "split", "difference"):
            panel.choices.modes.setCurrentIndex(panel.choices.modes.findData(mode))
            window.settle()
            say(f"5,000 spots, map as {form}, {MODES[mode].split(':')[0].lower()}: switch gene", window.switches(genes))
            window.shared.session.show_gene(ready.values.predicted.genes[0])
    window.close()


def measure_bins(path: Path) -> None:
    window = Window()
    start = time.perf_counter()
    slide = open_slide(path)
    say(f"{ROWS * COLUMNS:,} bins of 8 um x {HD_GENES:,} genes: open (in a thread)", time.perf_counter() - start)
    window.shared.session.open(slide)
    start = time.perf_counter()
    window.settle()
    say("bins: counts by gene, in a thread", time.perf_counter() - start - 0.5)
    assert window.shared.canvas.layer("bins").data.shape == (ROWS, COLUMNS)
    say("bins: switch gene", window.switches([f"GENE{i}" for i in range(0, 10_000, 500)]))
    say("bins: zoom", window.zooms())
    print(f"bins: memory of the process {memory_mb():.0f} MB, at most {peak_mb():.0f} MB")
    window.close()


def measure_large(large: Path | None) -> None:
    window = Window()
    counted = Counted()
    slide = Slide(
        name="large", path=Path("large"), kind="made up", sdata=None, image_name="image", shapes_name=None,
        table_name=None, coordinate_system="global", pyramid=counted.pyramid, microns=Microns(0.25, "given", "made up"),
        spots=None, is_zarr=False,
    ) if large is None else open_slide(large)  # fmt: skip
    before = memory_mb()
    say(f"{SIDE:,} x {SIDE:,} px: open and draw", window.timed(lambda: window.shared.session.open(slide)))
    window.settle()
    opened = counted.bytes
    window.shared.canvas.go_to((SIDE / 2, SIDE / 2), across_um=200)
    window.settle()
    say("large: pan at full resolution", window.pans(40))
    say("large: zoom", window.zooms())
    if large is None:
        print(
            f"large: decoded {opened / 2**20:.0f} MB to open, {(counted.bytes - opened) / 2**20:.0f} MB to pan and zoom"
        )
    print(f"large: memory of the process {memory_mb():.0f} MB, {memory_mb() - before:.0f} MB more than before, "
          f"at most {peak_mb():.0f} MB")  # fmt: skip
    window.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--large", type=Path, help="a real file to pan")
    parser.add_argument(
        "--part", choices=("spots", "maps", "bins", "large", "write"), help="one of them, in this process"
    )
    parser.add_argument("--folder", type=Path, default=Path(), help="where the Space Ranger folder lies")
    options = parser.parse_args()
    if options.part == "write":
        write_hd(options.folder)
    elif options.part == "spots":
        measure_spots()
    elif options.part == "maps":
        measure_maps()
    elif options.part == "bins":
        measure_bins(options.folder)
    elif options.part == "large":
        measure_large(options.large)
    else:
        measure_all(options.large)


def measure_all(large: Path | None) -> None:
    cores, load = os.cpu_count(), os.getloadavg()[0]
    print(
        f"{platform.machine()}, {cores} cores, load {load:.1f}, {psutil.virtual_memory().total / 2**30:.0f} GB",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as folder:
        hd = Path(folder) / "hd"
        for part in ("spots", "maps", "write", "bins", "large"):
            which = ["--large", str(large)] if large is not None else []
            subprocess.run([sys.executable, __file__, "--part", part, "--folder", str(hd), *which], check=True)


def peak_mb() -> float:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
