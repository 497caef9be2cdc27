"""How quickly the plugin shows a million nuclei on a slide of 40,000 x 40,000 px: a real napari window.

    xvfb-run -a python benchmarks/plugin_cells.py [--cells 1000000]

The nuclei are made up and written into a store as `c2lst cells` writes them (polygons of 17 corners, a table), in a
process of its own; the picture is blank. A time ends when the window is drawn; beside it stands the processor time
of the whole process, drawing in software included.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import psutil

from napari_c2lst.cells.facts import CONSEP_TYPES, CellFacts
from napari_c2lst.plugin.shared import forget, shared_of
from napari_c2lst.slides.images.pyramid import Pyramid
from napari_c2lst.slides.slide import Microns, Slide, Spots

SIDE, MPP, CORNERS = 40_000, 0.25, 17
PX = (1280, 800)


def write_store(path: Path, n: int) -> None:
    """Nuclei of 38 um2 on average, in patches that are dense and others that are not."""
    import shapely
    from spatialdata import SpatialData
    from spatialdata.models import ShapesModel

    from napari_c2lst.cells.elements import cell_table, cells_uns
    from napari_c2lst.cells.found import Found

    rng = np.random.default_rng(0)
    centres = rng.uniform(0, SIDE, (400, 2))
    xy = np.concatenate([rng.uniform(0, SIDE, (n // 2, 2)), centres[rng.integers(400, size=n - n // 2)]])
    xy[n // 2 :] += rng.normal(0, 900, (n - n // 2, 2))
    xy = np.clip(xy, 30, SIDE - 30)
    area = rng.gamma(16, 38 / 16 / MPP**2, n)
    radius = np.sqrt(area / np.pi)[:, None] * (1 + 0.12 * rng.standard_normal((n, CORNERS)))
    angle = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    rings = xy[:, None, :] + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2)
    areas = shapely.polygons(np.concatenate([rings, rings[:, :1]], axis=1))
    facts = CellFacts(mode="fast", nr_types=5, types=CONSEP_TYPES, mpp=MPP, name="made up")
    nothing, ones = np.zeros(n, bool), np.ones(n)
    found = Found(
        tile=np.zeros(n, np.int64), own=nothing, rim=nothing, type=rng.integers(1, 5, n).astype(np.uint8),
        type_prob=rng.uniform(0.4, 1, n).astype(np.float32), area=area.astype(np.int32), centroid=xy - 0.5,
        corners=np.zeros((0, 2), np.int32), length=ones.astype(np.int32),
    )  # fmt: skip
    import geopandas as gpd

    table = cell_table("c2lst_cells_made_up", found, facts, 1.0, cells_uns("cells", "made_up", facts, "", MPP))
    shapes = ShapesModel.parse(gpd.GeoDataFrame(geometry=areas))
    SpatialData(shapes={"c2lst_cells_made_up": shapes}, tables={"c2lst_cells_made_up_table": table}).write(path)


def slide_of(path: Path) -> Slide:
    """A blank slide whose store that is."""
    from spatialdata import SpatialData

    sides = [SIDE // k for k in (1, 4, 16, 64)]
    levels = [da.full((3, side, side), 235, dtype=np.uint8, chunks=(3, 1024, 1024)) for side in sides]
    yx = np.stack(np.mgrid[1000:SIDE:800, 1000:SIDE:800], axis=-1).reshape(-1, 2).astype(float)
    return Slide(
        name="large", path=path, kind="made up", sdata=SpatialData(), image_name="image", shapes_name="spots",
        table_name="table", coordinate_system="global", pyramid=Pyramid(levels, [1.0, 4.0, 16.0, 64.0]),
        microns=Microns(MPP, "given", "made up"), spots=Spots(np.arange(len(yx)).astype(str), yx, 55.0), is_zarr=True,
    )  # fmt: skip


class Window:
    """A napari window whose frames are waited for."""

    def __init__(self) -> None:
        import napari
        from qtpy.QtWidgets import QApplication

        self.viewer = napari.Viewer(show=True)
        self.viewer.window._qt_window.resize(*PX)
        self.app = QApplication.instance()
        self.frames = 0
        self.scene = self.viewer.window._qt_viewer.canvas._scene_canvas
        self.scene.events.draw.connect(self._on_draw, position="last")
        self.shared = shared_of(self.viewer)
        self.settle(lambda: False)

    def _on_draw(self, _event: Any) -> None:
        self.frames += 1

    def settle(self, busy: Callable[[], bool], seconds: float = 0.5) -> None:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or busy():
            self.app.processEvents()
            time.sleep(0.002)

    def timed(self, action: Callable[[], Any], until: Callable[[], bool] = lambda: True) -> tuple[float, float]:
        """Seconds on the clock and of the processor, from an action to the end of the frame that shows it."""
        frames, start, processor = self.frames, time.perf_counter(), time.process_time()
        action()
        waited = False
        while not until():
            self.app.processEvents()
            time.sleep(0.002)  # threads are to get on
            waited = True
        if waited:  # it may have been drawn already: one more frame
            frames = self.frames
            self.scene.update()
        while self.frames == frames:
            self.app.processEvents()
            if time.perf_counter() - start > 60:
                raise RuntimeError("nothing was drawn for a minute")
        return time.perf_counter() - start, time.process_time() - processor

    def close(self) -> None:
        forget(self.viewer)
        self.viewer.close()
        self.app.processEvents()


def measure(path: Path) -> None:
    from napari_c2lst.plugin.cells.panel import CellsViewPanel

    window = Window()
    panel = CellsViewPanel(window.viewer)
    window.viewer.window.add_dock_widget(panel)
    canvas, cells = window.shared.canvas, panel.cells
    window.shared.session.open(slide_of(path))
    window.settle(lambda: cells.reading)
    process = psutil.Process()
    before = process.memory_info().rss
    say("show a million nuclei", [window.timed(cells.show, lambda: canvas.layer("cells") is not None)], "3 s")
    start = time.perf_counter()
    window.settle(lambda: cells.reading)
    print(f"  until their outlines are read as well, in a thread: {time.perf_counter() - start - 0.5:.1f} s more")
    raster, camera = cells.raster, window.viewer.scene.camera
    assert raster is not None
    layer = canvas.layer("cells")
    fitted = camera.zoom

    def zoom(factor: float) -> None:
        camera.zoom *= factor

    def pan(px: float) -> None:
        y, x = camera.center[-2:]
        camera.center = (0, y + px / camera.zoom, x + 1.3 * px / camera.zoom)

    def to(y: float, x: float, level: int) -> None:
        camera.center = (0, y * MPP, x * MPP)
        camera.zoom = 0.8 * raster.scale(level) / MPP

    rng = np.random.default_rng(1)
    new: list[tuple[float, float]] = []
    for level in range(len(raster.levels)):
        times = []
        for _ in range(6):
            to(*rng.uniform(6000, SIDE - 6000, 2), level)
            window.settle(lambda: False, 0.05)
            times.append(window.timed(lambda: pan(80)))
        look, shown = raster.look(layer.data_level), layer._slice.image.raw.shape
        say(f"pan, level {layer.data_level} ({look}, {shown[1]} x {shown[0]} px)", times, "0.1 s")
        for _ in range(6):
            y, x = rng.uniform(6000, SIDE - 6000, 2)
            new.append(window.timed(lambda y=y, x=x, level=level: to(y, x, level)))
            window.settle(lambda: False, 0.05)
        say(f"jump to a place never seen, level {layer.data_level} ({look})", new[-6:], "")
    camera.zoom = fitted
    window.settle(lambda: False)
    zooms = []
    for factor in [1.3] * 24 + [1 / 1.3] * 24:
        zooms.append(window.timed(lambda factor=factor: zoom(factor)))
        window.settle(lambda: False, 0.03)
    say("zoom in and out by steps of 1.3, from the whole slide to single nuclei", zooms, "0.1 s")
    print(f"  the slowest of these: {max(t for t, _ in zooms):.3f} s, processor {max(p for _, p in zooms):.3f} s")
    for level in (0, 3, len(raster.levels) - 3):
        to(20_000, 20_000, level)
        window.settle(lambda: False, 0.3)
        hides = [window.timed(lambda i=i: panel.rows.boxes[1].setChecked(bool(i % 2))) for i in range(6)]
        say(f"hide and show a type, level {layer.data_level} ({raster.look(layer.data_level)})", hides, "")
    to(*raster.columns.yx[1000], 1)
    window.settle(lambda: False, 0.3)
    say("click a cell", [window.timed(lambda i=i: canvas._click(place(raster, i))) for i in (1000, 1001, 1002)], "")
    after = process.memory_info().rss
    print(
        f"memory: {before / 2**20:.0f} MB before, {after / 2**20:.0f} MB at the end; {raster.nbytes / 2**20:.0f} MB of"
    )
    print("  it are nuclei, outlines, counts and tiles")
    assert "torch" not in sys.modules
    window.close()


def place(raster: Any, cell: int) -> Any:
    """Where the viewer shows a nucleus."""
    return (raster.columns.yx[cell] - 0.5) * MPP


def say(what: str, times: list[tuple[float, float]], aim: str) -> None:
    wall, processor = (statistics.median(each) for each in zip(*times, strict=True))
    print(f"{what}: {wall:.3f} s, processor {processor:.3f} s{f' (aim {aim})' if aim else ''}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=1_000_000)
    parser.add_argument("--store", type=Path, help="where the store is, or is written to and kept")
    parser.add_argument("--only-write", action="store_true")
    options = parser.parse_args()
    if options.only_write:
        write_store(options.store, options.cells)
        return
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        store = options.store or Path(folder) / "cells.zarr"
        if not store.exists():
            told = ["--only-write", "--store", str(store), "--cells", str(options.cells)]
            subprocess.run([sys.executable, __file__, *told], check=True)
        measure(store)


if __name__ == "__main__":
    main()
