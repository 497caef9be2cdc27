"""Write a slide as a SpatialData store with a multiscale image, in bounded memory.

The store is first written with an image of zeros, which takes no space: zarr leaves out empty chunks. Then every level
is filled band by band, level 0 from the slide and each further level from the one before: no pixel is decoded twice.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from napari_c2lst.common.errors import Stopped
from napari_c2lst.common.files import atomic_folder, check_free_space
from napari_c2lst.common.places import find_place, keep_place
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.facts import KEY, SlideFacts
from napari_c2lst.slides.images.pyramid import halved
from napari_c2lst.slides.readers.cells_aside import read_cells
from napari_c2lst.slides.readers.choosing import theirs
from napari_c2lst.slides.readers.reading import image_element, quiet
from napari_c2lst.slides.slide import Slide

CHUNK = 1024
# Tissue compresses to about half with zstd, glass to nothing; the coarser levels add a third.
_BYTES_PER_PIXEL = 3 * 0.5 * 4 / 3


def write_store(slide: Slide, out: Path, reporter: Reporter, source: str | None = None) -> None:
    """Write a slide as a new store: whole, or not at all.

    Parameters
    ----------
    out
        The store to make; it must not be there.
    source
        What to keep as the place it was made from.

    Raises
    ------
    InputError
        If `out` is there already, or the disk has too little room or gets full.
    Stopped
        If the user asked to stop; nothing is left behind.
    """
    height, width = slide.pyramid.shape
    check_free_space(out, int(height * width * _BYTES_PER_PIXEL))
    sizes = level_sizes(height, width)
    with atomic_folder(out) as folder:
        # spatialdata refuses a folder that is there, even an empty one
        folder.rmdir()
        with warnings.catch_warnings(), quiet():
            warnings.simplefilter("ignore")
            _skeleton(slide, sizes, _facts(slide, source, out.parent)).write(folder)
        _fill(slide, folder / "images" / slide.image_name, sizes, reporter)


def level_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Heights and widths of the levels of a pyramid, each half of the one before, down to one chunk."""
    sizes = [(height, width)]
    while max(sizes[-1]) > CHUNK:
        sizes.append((-(-sizes[-1][0] // 2), -(-sizes[-1][1] // 2)))
    return sizes


def _skeleton(slide: Slide, sizes: list[tuple[int, int]], facts: SlideFacts) -> Any:
    """The SpatialData to write, with zeros in place of the image of the slide."""
    import dask.array as da
    from spatialdata import SpatialData
    from spatialdata.transformations import get_transformation

    from_ = slide.sdata
    zeros = [da.zeros((3, h, w), chunks=(3, CHUNK, CHUNK), dtype=np.uint8) for h, w in sizes]
    systems = get_transformation(from_.images[slide.image_name], get_all=True)
    images = {name: from_.images[name] for name in theirs(from_.images) if name != slide.image_name}
    images[slide.image_name] = image_element(zeros, systems)
    # cells were left on disk when the slide was opened, unless they were found since
    cells = read_cells(slide.path) if slide.is_zarr else {"shapes": {}, "tables": {}}
    return SpatialData(
        images=images,
        labels=dict(from_.labels),
        points=dict(from_.points),
        shapes={**from_.shapes, **cells["shapes"]},
        tables={**from_.tables, **cells["tables"]},
        attrs={**(from_.attrs or {}), KEY: facts.model_dump(mode="json")},
    )


def _facts(slide: Slide, source: str | None, beside: Path) -> SlideFacts:
    """The facts to keep, microns of the chosen image among them; places as seen from the folder of the store."""
    from napari_c2lst.slides.geometry import matrix_to_system, scale_of

    facts: SlideFacts = slide.facts
    kind = facts.kind.removeprefix("SpatialData store").lstrip(", ")
    update: dict[str, Any] = {"image": slide.image_name, "kind": kind, "table": None}
    image = None if facts.source_image is None else find_place(facts.source_image, slide.path.parent)
    update["source"] = None if source is None else keep_place(Path(source), beside)
    update["source_image"] = facts.source_image if image is None else keep_place(image, beside)
    if slide.microns is not None:
        element = slide.sdata.images[slide.image_name]
        size = scale_of(matrix_to_system(element, slide.coordinate_system, f"image '{slide.image_name}'"))
        update["microns_per_unit"] = {slide.coordinate_system: slide.microns.value / size}
        update["microns_detail"] = slide.microns.detail
    return facts.model_copy(update=update)


def _fill(slide: Slide, group: Path, sizes: list[tuple[int, int]], reporter: Reporter) -> None:
    import zarr

    # black chunks are written too, so that a missing one means that a copy of the store is not complete
    with zarr.config.set({"array.write_empty_chunks": True}):
        arrays: list[Any] = [zarr.open_array(group / name, mode="r+") for name in _level_names(group)]
    assert [tuple(a.shape[1:]) for a in arrays] == sizes, "spatialdata wrote the levels in another order"
    bands = [range(0, height, CHUNK) for height, _ in sizes]
    done, total = 0, sum(map(len, bands))
    for index, array in enumerate(arrays):
        for top in bands[index]:
            if reporter.stop_requested():
                raise Stopped("conversion stopped", "nothing was written; start it again")
            bottom = min(top + CHUNK, sizes[index][0])
            if index == 0:
                array[:, top:bottom] = slide.pyramid.levels[0][:, top:bottom].compute()
            else:
                array[:, top:bottom] = halved(arrays[index - 1][:, 2 * top : 2 * bottom])
            done += 1
            reporter.progress(done, total, "bands of the image")


def _level_names(group: Path) -> list[str]:
    """Names of the arrays of a multiscale image, finest first."""
    import zarr

    attributes: dict[str, Any] = dict(zarr.open_group(group, mode="r").attrs)
    multiscales = attributes.get("ome", attributes)["multiscales"]
    return [dataset["path"] for dataset in multiscales[0]["datasets"]]
