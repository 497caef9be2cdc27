"""Give a slide the full-resolution image that its folder or store lacks (`--image FILE`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.geometry import image_size, matrix_to_system, systems_of
from napari_c2lst.slides.images.image_files import open_image
from napari_c2lst.slides.readers.choosing import regions_of, theirs
from napari_c2lst.slides.readers.reading import Reading, element_name, image_element, scaling

# Sizes of scaled images are rounded to whole pixels.
_SAME_SIZE = 0.004
# Height and width of an image of the same frame scale alike.
_SAME_SHAPE = 0.01


def add_image(reading: Reading, file: Path, scale: float | None, system: str | None) -> Reading:
    """Add an image file to a reading; its scale is worked out from the images that are there.

    Parameters
    ----------
    scale
        Pixels of the file per unit of the coordinate system (full-resolution pixel); None works it out.
    system
        The coordinate system of full-resolution pixels; None takes the one the spots are in.

    Raises
    ------
    InputError
        If the image shows another frame than the images that are there.
    """
    image = open_image(file)
    system = system or _system_of_spots(reading.sdata)
    height, width = image.pyramid.shape
    if scale is None:
        scale, how = _work_out_scale(reading.sdata, system, (height, width), file)
    else:
        how = f"scaled by {scale:g} as given"
    name = element_name(f"{reading.facts.name}_full_image")
    reading.sdata.images[name] = image_element(image.pyramid.levels, {system: scaling(scale)})
    note = f"'{file.name}' ({height} x {width} px) is used as the image, {how}"
    facts = reading.facts.model_copy(update={"image": name, "source_image": str(file.absolute())})
    return Reading(reading.sdata, facts, (*reading.notes, note, *image.notes), reading.is_zarr)


def _system_of_spots(sdata: Any) -> str:
    for table in theirs(sdata.tables):
        for region in regions_of(sdata.tables[table]):
            if region in sdata.shapes:
                systems = systems_of(sdata.shapes[region])
                # not the "_downscaled" ones of spatialdata-io
                return next((s for s in ("global", region) if s in systems), systems[0])
    return str(sdata.coordinate_systems[0]) if sdata.coordinate_systems else "global"


def _work_out_scale(sdata: Any, system: str, size: tuple[int, int], file: Path) -> tuple[float, str]:
    """Scale of an image against the frame that the images there cover, and in words."""
    frames = {
        name: _frame(sdata.images[name], system)
        for name in theirs(sdata.images)
        if system in systems_of(sdata.images[name])
    }
    if not frames:
        return 1.0, "taken at full resolution"
    # the largest picture knows the frame best: its size is rounded least
    best = max(frames, key=lambda name: frames[name][2])
    frame_height, frame_width, _ = frames[best]
    ratio_y, ratio_x = size[0] / frame_height, size[1] / frame_width
    if abs(ratio_y / ratio_x - 1) > _SAME_SHAPE:
        raise InputError(
            f"the image '{file}' ({size[0]} x {size[1]} px) shows another frame than this slide, which is "
            f"{frame_height:.0f} x {frame_width:.0f} px at full resolution",
            "check that it is the image given to Space Ranger; pass --image-scale to use it anyway",
        )
    ratio = float(np.sqrt(ratio_y * ratio_x))
    if abs(ratio - 1) < _SAME_SIZE:
        return 1.0, "at full resolution"
    known = _known_scales(sdata, system)
    near = [value for value in known if abs(ratio / value - 1) < _SAME_SIZE]
    scale = min(near, key=lambda value: abs(ratio / value - 1)) if near else ratio
    return scale, f"a version of the full-resolution image scaled by {scale:.4g}"


def _frame(element: Any, system: str) -> tuple[float, float, int]:
    """Height and width an image covers in a coordinate system, and its height in pixels."""
    height, width = image_size(element)
    matrix = matrix_to_system(element, system, "")
    steps = np.abs(matrix[:2, :2]) @ np.array([width, height])
    return float(steps[1]), float(steps[0]), height


def _known_scales(sdata: Any, system: str) -> list[float]:
    """Scales the slide knows: those between the spots' coordinate systems (Space Ranger's hires and lowres)."""
    from spatialdata.transformations import get_transformation

    scales = []
    for shapes in sdata.shapes.values():
        transformations = get_transformation(shapes, get_all=True)
        if system not in transformations:
            continue
        own = matrix_to_system(shapes, system, "")
        for other in transformations:
            step = matrix_to_system(shapes, other, "") @ np.linalg.inv(own)
            scales.append(float(np.sqrt(abs(np.linalg.det(step[:2, :2])))))
    return scales
