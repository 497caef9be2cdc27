"""A tour through the plugin on the sample slide: every step is really done, and a picture of each is written.

    python -m benchmarks.gallery --out pictures              # the small preset, some minutes on two cores
    python -m benchmarks.gallery --out pictures --quick      # a few training steps, to see the panels
    python -m benchmarks.gallery --out pictures --theme light

Without a screen it starts itself again under Xvfb.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SIZE = (1280, 800)
# a few steps of everything, for a look at the panels or for a test
QUICK: dict[str, dict[str, Any]] = {
    "adapt": {"preset": "small", "steps": 4, "batch": 8, "genes": 12, "embedding": 16, "preview_every": 2},
    "sample": {"preset": "small", "ratio": 1, "steps": 2},
    "train": {"preset": "small", "steps": 8, "batch": 8},
    "predict": {"where": "both", "spots": "held-out", "stride_um": 400.0},
    "evaluate": {"draws": 100},
}
# what the demo does: minutes, and pictures worth looking at
SMALL: dict[str, dict[str, Any]] = {
    "adapt": {"preset": "small"},
    "sample": {"preset": "small"},
    "train": {"preset": "small"},
    "predict": {"where": "both", "spots": "held-out", "stride_um": 112.0, "tta": False},
    "evaluate": {},
}
MINUTES = 60
LARGEST = 390_000


@contextmanager
def plain_folder() -> Iterator[Path]:
    """A folder whose name, which the pictures show, is plain; it is gone at the end."""
    folder = Path(tempfile.gettempdir()) / "slides"
    folder.mkdir()  # never one that is there already
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Tour:
    """Drives the guide dock of a viewer through every step, as a user would.

    Parameters
    ----------
    viewer
        napari's viewer, shown.
    dock
        The guide dock in it.
    settings
        For each task what to set in its form.
    picture
        Called with a name after each step; none takes no pictures.
    """

    def __init__(
        self,
        viewer: Any,
        dock: Any,
        settings: Mapping[str, Mapping[str, Any]],
        picture: Callable[[str], None] | None = None,
    ) -> None:
        self.viewer, self.dock, self.settings = viewer, dock, settings
        self.hurry = picture is None
        self.picture: Callable[[str], None] = picture or (lambda _name: None)
        self.session = dock._shared.session
        self.said: list[tuple[str, str, str]] = []
        self.session.told.connect(self._hear)

    def run(self, store: Path) -> None:
        """Do every step on a store."""
        self.open(store)
        self.select()
        for key in ("adapt", "sample", "train", "predict"):
            self.step(key)
        self.look()
        self.judge()
        self.keep()

    def open(self, store: Path) -> None:
        """Open the store by its path, typed into the panel."""
        panel = self.panel("open")
        panel.path.line.setText(str(store))
        panel.path.line.returnPressed.emit()
        self.wait(lambda: self.session.slide is not None, 120)
        self.wait(lambda: self.viewer.layers and len(self.viewer.layers) >= 2, 60)
        self.settle(1.5)
        self.picture("open")

    def select(self) -> None:
        """A quarter of the spots in whole regions, kept as the set "train"."""
        panel = self.panel("select")
        panel.ways.share.setValue(25)
        panel.ways.blocked.setChecked(True)
        panel.ways._on_random()
        panel.sets.name.setText("train")
        self.settle()
        panel.sets.keep.click()
        self.wait(lambda: panel.message.level == "success", 60)  # it is in the slide
        self.settle(1.5)
        self.picture("select")

    def step(self, key: str, task: str = "") -> Any:
        """Fill in a step's form, press Run, wait for the end; a picture half way and one at the end."""
        task = task or key
        panel = self.panel(key)
        panel.form.set_values(dict(self.settings.get(task, {})))
        self.settle()
        self.picture(f"{key}_settings")
        panel.ui.run.click()
        self.wait(lambda: panel.job is not None and panel.job.state != "starting", 120)
        job = panel.job
        seen: list[int] = []
        job.progress.connect(lambda done, total, what: seen.append(done) if total and done * 2 >= total else None)
        self.wait(lambda: bool(seen) or not job.active, 60 * MINUTES)
        self.settle()
        self.picture(f"{key}_running")
        self.wait(lambda: not job.active, 60 * MINUTES)
        if job.state != "finished":
            raise RuntimeError(f"{task} ended as {job.state}: {job.last}\n" + "\n".join(job.log))
        self.settle(1.0)
        self.picture(key)
        return panel

    def look(self) -> None:
        """Gene maps on the tissue, then real patches beside synthetic ones."""
        panel = self.panel("look")
        self.wait(lambda: panel.ready is not None, 120)
        self.settle(1.5)
        self.picture("look")
        self.dock._pages["look"].setCurrentIndex(1)
        gallery = self.dock.panels["look"][1]
        self.wait(lambda: gallery.shown_rows(), 60)
        self.settle(6.0)  # patches come one by one, those in sight first
        self.picture("patches")
        self.dock._pages["look"].setCurrentIndex(0)

    def judge(self) -> None:
        """Score the predictions, then read the scores in words."""
        self.step("judge", "evaluate")
        self.dock._pages["judge"].setCurrentIndex(1)
        self.settle(3.0)
        self.picture("scores")

    def keep(self) -> None:
        """Save what is looked at into the slide."""
        panel = self.panel("keep")
        self.settle()
        panel.save.save_button.click()
        self.wait(lambda: any("saved into" in message for _, message, _ in self.said), 120)
        self.settle(1.0)
        self.picture("keep")

    def panel(self, key: str) -> Any:
        """Go to a step by its button; its first panel."""
        self.dock.bar.buttons[key].click()
        self.settle()
        return self.dock.panels[key][0]

    def wait(self, condition: Callable[[], Any], seconds: float) -> None:
        """Let the window live until something is the case."""
        from qtpy.QtWidgets import QApplication

        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f"waited {seconds} s in step {self.dock.current!r}; said: {self.said[-3:]}")
            QApplication.processEvents()
            time.sleep(0.01)

    def settle(self, seconds: float = 0.3) -> None:
        """Let the window draw itself, if anybody looks."""
        end = time.monotonic() + (0 if self.hurry else seconds)
        self.wait(lambda: time.monotonic() > end, seconds + 5)

    def close(self) -> None:
        """Hear nothing any more."""
        self.session.told.disconnect(self._hear, missing_ok=True)

    def _hear(self, level: str, message: str, hint: str) -> None:
        self.said.append((level, message, hint))


def take_pictures(out: Path, settings: Mapping[str, Mapping[str, Any]], theme: str) -> None:
    import napari

    from napari_c2lst.plugin.dock import C2LDock
    from napari_c2lst.slides.sample_data import sample_slide_path

    out.mkdir(parents=True, exist_ok=True)
    viewer = napari.Viewer(show=True)
    window = viewer.window._qt_window
    window.resize(*SIZE)
    viewer.theme = theme
    dock = C2LDock(viewer)
    viewer.window.add_dock_widget(dock, name="C2L-ST", area="right")
    number = [0]

    def picture(name: str) -> None:
        number[0] += 1
        path = out / f"{number[0]:02d}-{name}.png"
        save_small(window, path)
        print(f"{path}", flush=True)

    with plain_folder() as folder:
        store = folder / "her2st-B4.zarr"
        shutil.copytree(sample_slide_path(), store)
        tour = Tour(viewer, dock, settings, picture)
        tour.settle(1.0)
        picture("start")
        try:
            tour.run(store)
        finally:
            tour.close()
            viewer.close()


def save_small(window: Any, path: Path) -> None:
    """The window as a PNG; one that gets large has 256 colours, which is a third of the size."""
    from PIL import Image
    from qtpy.QtCore import QBuffer

    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.ReadWrite)
    window.grab().save(buffer, "PNG")
    picture = Image.open(io.BytesIO(bytes(buffer.data()))).convert("RGB")
    picture.save(path, optimize=True)
    if path.stat().st_size > LARGEST:
        picture.quantize(256, kmeans=2, dither=Image.Dither.FLOYDSTEINBERG).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--quick", action="store_true", help="a few training steps only")
    parser.add_argument("--theme", default="dark", choices=["dark", "light"])
    options = parser.parse_args()
    xvfb = shutil.which("xvfb-run")
    if sys.platform == "linux" and not os.environ.get("DISPLAY") and xvfb:
        arguments = [
            xvfb,
            "-a",
            "-s",
            "-screen 0 1400x900x24",
            sys.executable,
            "-m",
            "benchmarks.gallery",
            *sys.argv[1:],
        ]
        os.execv(xvfb, arguments)
    take_pictures(options.out, QUICK if options.quick else SMALL, options.theme)


if __name__ == "__main__":
    main()
