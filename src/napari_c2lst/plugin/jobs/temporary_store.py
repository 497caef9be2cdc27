"""Slides that are in memory only, written to temporary stores so that a child process can read them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.facts import CELLS, CELLS_TABLE, OURS, PREDICTIONS
from napari_c2lst.slides.naming import name_of_predictions
from napari_c2lst.slides.readers.cells_aside import cell_tables

if TYPE_CHECKING:
    from napari_c2lst.slides.slide import Slide

IN_MEMORY = "an image layer"  # the kind of a slide that no file holds
_FOLDER, _LOCK = "c2lst_", "in_use.lock"


class TemporaryStores:
    """A folder for stores that are needed while the window is open; it is removed at the end."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._lock: Any = None
        self._copied: dict[Path, frozenset[str]] = {}

    @property
    def folder(self) -> Path:
        """The folder; made on first use, and marked as in use for as long as this process lives."""
        if self._folder is None:
            from filelock import FileLock

            self._folder = Path(tempfile.mkdtemp(prefix=_FOLDER))
            # made in one thread, let go of in another
            self._lock = FileLock(self._folder / _LOCK, timeout=0, thread_local=False)
            self._lock.acquire()
        return self._folder

    def write(self, slide: Slide, reporter: Reporter | None = None) -> Path:
        """Write a slide to a store of its own. Not on the GUI's thread: it takes seconds to minutes.

        Raises
        ------
        InputError
            If the disk has too little room.
        """
        from napari_c2lst.slides.store.storing import write_store

        # one folder for each, so that every slide keeps its name
        out = Path(tempfile.mkdtemp(dir=self.folder)) / f"{slide.name}.zarr"
        write_store(slide, out, reporter or Reporter())
        return out

    def holds(self, path: Path) -> bool:
        """Whether a store is one of these."""
        return self._folder is not None and self._folder in Path(path).absolute().parents

    def note_copied(self, store: Path, results: Collection[str]) -> None:
        """These results of a store are in a copy of it as well."""
        self._copied[store] = self._copied.get(store, frozenset()) | frozenset(results)

    def only_here(self) -> dict[Path, list[str]]:
        """The results that would be lost with the folder, in words, for each store that has any."""
        stores = [] if self._folder is None else sorted(self._folder.glob("*/*.zarr"))
        lost = {store: sorted(set(results_in(store)) - self._copied.get(store, frozenset())) for store in stores}
        return {store: results for store, results in lost.items() if results}

    def close(self) -> None:
        """Remove every store."""
        if self._folder is not None:
            self._lock.release()
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def results_in(store: Path) -> list[str]:
    """The predictions and nuclei of a store in words, such as "predictions 'both'"."""
    tables = sorted(path.name for path in (store / "tables").glob(f"{OURS}*"))
    predictions = dict.fromkeys(name_of_predictions(name) for name in tables if name.startswith(PREDICTIONS))
    cells = [name.removeprefix(CELLS).removesuffix(CELLS_TABLE) for name in cell_tables(store)]
    return [*(f"predictions '{name}'" for name in predictions), *(f"nuclei '{name}'" for name in cells)]


def left_behind() -> list[Path]:
    """Stores of windows that ended without closing (a crash, a power cut); nobody removes them but the user.

    A folder in use is locked by its process, which the system undoes however that ends.
    """
    from filelock import FileLock, Timeout

    found: list[Path] = []
    for lock in sorted(Path(tempfile.gettempdir()).glob(f"{_FOLDER}*/{_LOCK}")):
        try:
            with FileLock(lock, timeout=0):
                found += sorted(lock.parent.glob("*/*.zarr"))
        except (Timeout, OSError):  # in use, or another user's
            continue
    return found


def is_on_disk(slide: Slide) -> bool:
    """Whether a child process can open the slide itself."""
    from napari_c2lst.slides.opening import find_reader

    try:
        find_reader(Path(slide.path))
    except InputError:
        return False
    return True


def slide_of_array(image: Any, mpp: float | None, name: str) -> Slide:
    """A slide without spots from an array, such as the data of a napari image layer that was read from no file.

    Parameters
    ----------
    image
        (h, w, 3) or (h, w, 4) uint8, NumPy or dask; of a multiscale layer the finest level.
    mpp
        Microns per pixel; None when not known.
    name
        What the slide is called.

    Raises
    ------
    InputError
        If it is no colour image of 8 bits.
    """
    import dask.array as da
    from spatialdata import SpatialData
    from spatialdata.transformations import Identity

    from napari_c2lst.slides.facts import SlideFacts
    from napari_c2lst.slides.images.pyramid import Pyramid
    from napari_c2lst.slides.readers.reading import image_element
    from napari_c2lst.slides.slide import Microns, Slide

    if image.ndim != 3 or image.shape[-1] not in (3, 4) or image.dtype != "uint8":
        raise InputError(
            f"'{name}' is no colour image of 8 bits: its shape is {tuple(image.shape)}, its numbers are {image.dtype}",
            "choose the layer of the stained tissue",
        )
    lazy = image if isinstance(image, da.Array) else da.from_array(image, chunks=(1024, 1024, -1))
    level = da.moveaxis(lazy[..., :3], -1, 0).rechunk((3, 1024, 1024))
    sdata = SpatialData(images={"image": image_element([level], {"global": Identity()})})
    return Slide(
        name=name,
        path=Path(name),
        kind=IN_MEMORY,
        sdata=sdata,
        image_name="image",
        shapes_name=None,
        table_name=None,
        coordinate_system="global",
        pyramid=Pyramid([level], [1.0]),
        microns=None if mpp is None else Microns(mpp, "given", "the layer's scale"),
        spots=None,
        is_zarr=False,
        facts=SlideFacts(kind=IN_MEMORY, name=name, image="image"),
    )
