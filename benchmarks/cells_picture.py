"""Nuclei of a corner of the sample slide in the plugin, as docs/pictures/plugin-cells.png.

    xvfb-run -a -s "-screen 0 1400x900x24" python -m benchmarks.cells_picture --out docs/pictures

They are found with the network of the package first: a few minutes on two cores.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.gallery import SIZE, Tour

CORNER, SIDE_PX = (2600.0, 3300.0), 1200  # y, x of the upper left corner
SHOWN_UM = 330.0  # height of what the picture shows


def corner(store: Path, yx: tuple[float, float] = CORNER) -> None:
    """A corner of the sample slide with its spots, as a store of its own."""
    import spatialdata

    from napari_c2lst.slides.sample_data import sample_slide_path

    whole = spatialdata.read_zarr(sample_slide_path())
    low = np.array(yx)
    spatialdata.bounding_box_query(
        whole, axes=("y", "x"), min_coordinate=low, max_coordinate=low + SIDE_PX, target_coordinate_system="global"
    ).write(store)


def show(store: Path, out: Path) -> None:
    """Open the store, go to Cells, come near, and take the picture."""
    import napari

    from napari_c2lst.plugin.dock import C2LDock

    viewer: Any = napari.Viewer(show=True)
    window = viewer.window._qt_window
    window.resize(*SIZE)
    dock: Any = C2LDock(viewer)
    viewer.window.add_dock_widget(dock, name="C2L-ST", area="right")
    tour = Tour(viewer, dock, {}, lambda _name: None)
    try:
        tour.open(store)
        dock.show_step("cells")
        dock._pages["cells"].setCurrentIndex(1)
        dock.panels["cells"][1].shown.click()
        tour.wait(lambda: any(layer.name.endswith("cells") for layer in viewer.layers), 60)
        for layer in viewer.layers:
            layer.visible = not layer.name.endswith("spots")
        px = viewer.window._qt_viewer.canvas.native.height()
        viewer.camera.zoom = px / SHOWN_UM
        tour.settle(5.0)
        window.grab().save(str(out / "plugin-cells.png"), "PNG")
    finally:
        tour.close()
        viewer.close()


def main() -> None:
    import napari_c2lst as c2lst

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the picture")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        store = Path(temporary) / "corner.zarr"
        corner(store)
        c2lst.find_cells(store, name="embedded")
        show(store, options.out)


if __name__ == "__main__":
    main()
