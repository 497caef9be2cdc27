"""An image alone: prediction needs no spots."""

from __future__ import annotations

from pathlib import Path

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.facts import SlideFacts
from napari_c2lst.slides.images.image_files import open_image

from .reading import Reading, Wanted, image_element

SYSTEM = "global"


def read_image_alone(path: Path, wanted: Wanted) -> Reading:
    """Read .svs, .tif, .ome.tif, .jpg or .png as a slide without spots."""
    from spatialdata import SpatialData
    from spatialdata.transformations import Identity

    if wanted.image is not None:
        raise InputError(f"'{path}' is an image alone: it takes no second image", "leave out --image")
    file = open_image(path)
    name = path.name
    for ending in (path.suffix, ".ome"):
        name = name.removesuffix(ending)
    sdata = SpatialData(images={"image": image_element(file.pyramid.levels, {SYSTEM: Identity()})})
    facts = SlideFacts(
        kind=f"image alone ({path.suffix.lower().lstrip('.')})",
        name=name,
        image="image",
        microns_per_unit={SYSTEM: file.mpp} if file.mpp else {},
        microns_detail=file.mpp_detail,
    )
    return Reading(sdata, facts, file.notes)
