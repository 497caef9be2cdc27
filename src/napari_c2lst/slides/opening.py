"""Open a slide, whatever its kind: find the reader, then make every slide in one way from the SpatialData it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.images.image_files import IMAGE_ENDINGS, is_image_file
from napari_c2lst.slides.readers.assembling import make_slide
from napari_c2lst.slides.readers.choosing import choose_elements
from napari_c2lst.slides.readers.full_images import add_image
from napari_c2lst.slides.readers.hest import hest_samples, read_hest
from napari_c2lst.slides.readers.image_alone import read_image_alone
from napari_c2lst.slides.readers.legacy_st import COUNT_ENDINGS, read_legacy_st, sections_in
from napari_c2lst.slides.readers.reading import Reading, Wanted
from napari_c2lst.slides.readers.store import is_store, read_store
from napari_c2lst.slides.readers.visium import read_visium, visium_folder
from napari_c2lst.slides.readers.visium_hd import hd_bins, read_visium_hd

from .microns import SQUARES
from .slide import Slide

KINDS = (
    "a SpatialData .zarr, a Space Ranger folder (Visium, Visium HD), a HEST-1k sample, a legacy ST folder, "
    f"or an image ({', '.join(IMAGE_ENDINGS)})"
)
# Microns per pixel of any microscope lie far inside.
_PLAUSIBLE_MPP = (0.01, 100.0)
_SHOWN = 8  # names of a folder's slides or images in a message


def open_slide(
    path: str | Path,
    *,
    image: Path | None = None,
    mpp: float | None = None,
    image_name: str | None = None,
    table: str | None = None,
    coordinate_system: str | None = None,
    image_scale: float | None = None,
    square_um: float = 112.0,
) -> Slide:
    """Open a slide lazily; no pixel is decoded.

    Nuclei that `c2lst cells` wrote stay on disk, as there may be millions: `slide.sdata` is without them, and
    `spatialdata.read_zarr` reads all there is.

    Parameters
    ----------
    path
        A SpatialData store, Space Ranger output, a HEST-1k sample (its h5ad), a legacy ST folder (or the counts file of
        one section, or `folder/section`), or an image alone.
    image
        The image file to use: the full-resolution image that Space Ranger folders lack.
    mpp
        Microns per level-0 pixel of the image; overrides what is stored or fitted.
    image_name, table, coordinate_system
        Elements of a SpatialData to use; see `choose_elements` for the defaults.
    image_scale
        Pixels of `image` per full-resolution pixel; None works it out.
    square_um
        Side of the squares Visium HD bins are summed into, in microns.

    Raises
    ------
    InputError
        If there is no such path, it is no slide, it is damaged, a name is not there, table and spots do not match, or
        spots lie outside the image.
    """
    path = Path(path)
    _refuse_implausible(mpp)
    reading = find_reader(path)(path, Wanted(image, image_scale, table, square_um))
    where = f"slide '{reading.facts.name}'"
    if image is not None and not reading.took_image:
        reading = add_image(reading, image, image_scale, coordinate_system)
    choice = choose_elements(
        reading.sdata,
        where,
        image=image_name,
        # a table of Visium HD bins that was named has become the table of its squares
        table=None if reading.facts.table else table,
        system=coordinate_system,
        preferred=reading.facts.image,
        preferred_table=reading.facts.table,
    )
    opened = {
        "image_name": image_name or choice.image,
        "table": table or choice.table,
        "coordinate_system": coordinate_system or choice.system,
        "image_scale": image_scale,
        "square_um": square_um if reading.facts.array == SQUARES else None,
    }
    return make_slide(path, _noting(reading, opened, image), choice, mpp)


def _refuse_implausible(mpp: float | None) -> None:
    low, high = _PLAUSIBLE_MPP
    if mpp is not None and not low <= mpp <= high:
        raise InputError(f"{mpp:g} microns per pixel cannot be", f"give between {low:g} and {high:g} um per pixel")


def _noting(reading: Reading, opened: Mapping[str, str | float | None], image: Path | None) -> Reading:
    """What was read, with how it was opened among its facts: a conversion is used again only for the same opening."""
    update: dict[str, object] = {"opened": {name: value for name, value in opened.items() if value is not None}}
    if image is not None:
        update["source_image"] = str(image.absolute())
    return replace(reading, facts=reading.facts.model_copy(update=update))


def find_reader(path: Path) -> Callable[[Path, Wanted], Reading]:
    """The reader for a path.

    Raises
    ------
    InputError
        If there is no such path, or it is no slide.
    """
    if not path.exists():
        # 'folder/section' names a section of a legacy ST folder
        if path.parent.is_dir() and path.name in sections_in(path.parent):
            return read_legacy_st
        raise InputError(f"there is no '{path}'", "check the path")
    if path.is_file():
        return _reader_of_file(path)
    if is_store(path):
        return read_store
    if hd_bins(path):
        return read_visium_hd
    if visium_folder(path):
        return read_visium
    if hest_samples(path):
        return read_hest
    if sections_in(path):
        return read_legacy_st
    slides = [p.name for p in sorted(path.iterdir()) if p.is_dir() and _is_slide_folder(p)]
    if slides:
        raise InputError(
            f"'{path}' is a folder that holds {_named(slides, 'slide')}", f"open {_one_of(slides)}: {path / slides[0]}"
        )
    images = [p.name for p in sorted(path.iterdir()) if p.is_file() and is_image_file(p)]
    if images:
        message = f"'{path}' is not a slide, but a folder that holds {_named(images, 'image')}"
        raise InputError(message, f"open {_one_of(images)} by itself: {path / images[0]}; or give {KINDS}")
    raise InputError(f"'{path}' is not a slide", f"give {KINDS}")


def _named(names: Sequence[str], what: str) -> str:
    """'one slide: a', '12 images: a, b, c and 9 more'."""
    many = f"one {what}" if len(names) == 1 else f"{len(names)} {what}s"
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{many}: {', '.join(names[:_SHOWN])}{more}"


def _one_of(names: Sequence[str]) -> str:
    return "it" if len(names) == 1 else "one"


def _reader_of_file(path: Path) -> Callable[[Path, Wanted], Reading]:
    if is_image_file(path):
        return read_image_alone
    if path.suffix == ".h5ad":
        return read_hest
    if path.name.endswith(COUNT_ENDINGS):
        return read_legacy_st
    raise InputError(f"'{path}' is not a slide", f"give {KINDS}")


def _is_slide_folder(path: Path) -> bool:
    return bool(is_store(path) or hd_bins(path) or visium_folder(path) or hest_samples(path) or sections_in(path))
