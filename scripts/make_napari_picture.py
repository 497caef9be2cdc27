"""Draw docs/pictures/napari.png, the sample slide in napari: ``xvfb-run python scripts/make_napari_picture.py``."""

import sys
from pathlib import Path

import napari
from PIL import Image
from qtpy.QtWidgets import QApplication

from napari_c2lst.plugin.sample_data import her2st_b4

PICTURE = Path("docs") / "pictures" / "napari.png"


def main() -> int:
    """Open the sample slide, wait until it is drawn, save the window."""
    viewer = napari.Viewer(show=True)
    viewer.window.resize(1180, 760)
    for data, options, kind in her2st_b4():
        getattr(viewer, f"add_{kind}")(data, **options)
    viewer.canvas.overlays.scale_bar.visible = True
    viewer.reset_view()
    for _ in range(50):
        QApplication.processEvents()
    picture = Image.fromarray(viewer.screenshot(canvas_only=False, flash=False)).convert("RGB")
    viewer.close()
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(200).save(PICTURE, optimize=True)
    print(f"{PICTURE}: {picture.width} x {picture.height} px, {PICTURE.stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
