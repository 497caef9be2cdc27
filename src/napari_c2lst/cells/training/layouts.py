"""The ways in which images with outlined nuclei lie on disk: folders of PNG, HoVer-Net's .mat, PanNuke's .npy."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_c2lst.common.errors import InputError

Split = Literal["train", "test"]

IMAGE_ENDINGS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp")
_IMAGE_FOLDERS = ("images", "imgs", "image")
_MAT_FOLDERS = ("labels", "masks", "label")
_INSTANCE_FOLDERS = ("inst", "instances")
_TYPE_FOLDERS = ("type", "types")


@dataclass(frozen=True)
class CellImage:
    """One image and its nuclei.

    Attributes
    ----------
    image
        (H, W, 3) uint8.
    instances
        (H, W) int32, 0 where there is no nucleus; ids need not follow one another.
    types
        (H, W) uint8, 0 where there is no nucleus; None where the data have no types.
    """

    image: NDArray[np.uint8]
    instances: NDArray[np.int32]
    types: NDArray[np.uint8] | None


@dataclass(frozen=True)
class Item:
    """An image that is there to be read.

    Attributes
    ----------
    name
        What errors call it.
    read
        Reads it; raises InputError where it cannot.
    """

    name: str
    read: Callable[[], CellImage]


def find_items(folder: Path, split: Split) -> list[Item]:
    """The images of a split of a folder, whatever its layout; empty where the layout has splits and not this one.

    Raises
    ------
    InputError
        If the folder is not there or holds no layout that is known.
    """
    if not folder.is_dir():
        raise InputError(f"there is no folder '{folder}'", "give a folder of images with instance maps")
    for layout in (_pannuke, _png_folders, _mat_folders):
        found = layout(folder, split)
        if found is not None:
            return found
    raise InputError(
        f"'{folder}' has none of the layouts that are known",
        "images/ with inst/ (and type/), Images/ with Labels/*.mat, or images.npy with masks.npy; see docs/commands.md",
    )


def _pannuke(folder: Path, split: Split) -> list[Item] | None:
    masks = sorted(folder.rglob("masks.npy"))
    if not masks:
        return None
    items: list[Item] = []
    for mask in masks if split == "train" else []:
        image = _pannuke_images(mask)
        items += [Item(f"{mask}[{k}]", partial(_read_pannuke, image, mask, k)) for k in range(_rows(image, mask))]
    return items


def _pannuke_images(mask: Path) -> Path:
    """'masks.npy' has its 'images.npy' beside it, or in 'images' where it is in 'masks' (as PanNuke is given away)."""
    parts = ["images" if part == "masks" else part for part in mask.parent.parts]
    for place in (mask.parent / "images.npy", Path(*parts) / "images.npy"):
        if place.is_file():
            return place
    raise InputError(f"'{mask}' has no images.npy beside it", "keep PanNuke's folders as they are")


def _rows(image: Path, mask: Path) -> int:
    shapes = [_open_npy(path).shape for path in (image, mask)]
    if len(shapes[0]) != 4 or len(shapes[1]) != 4 or shapes[0][:3] != shapes[1][:3] or shapes[1][3] != 6:
        raise InputError(
            f"'{image}' {shapes[0]} and '{mask}' {shapes[1]} are not PanNuke's arrays",
            "images are (N, 256, 256, 3), masks (N, 256, 256, 6)",
        )
    return int(shapes[0][0])


def _open_npy(path: Path) -> NDArray[Any]:
    try:
        return np.asanyarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError) as error:
        raise InputError(f"'{path}' cannot be read: {error}") from error


def _read_pannuke(image: Path, mask: Path, row: int) -> CellImage:
    """The first five channels of a mask are the nuclei of types 1 to 5, the sixth is what is left."""
    channels = np.asarray(_open_npy(mask)[row][..., :5], np.int64)
    kinds = np.where(channels.any(2), channels.argmax(2) + 1, 0).astype(np.uint8)
    # ids may come again in another channel
    ids = np.where(kinds > 0, channels.max(2) * 5 + kinds, 0)
    compact = np.unique(ids, return_inverse=True)[1].reshape(ids.shape).astype(np.int32)
    if ids.all():  # no background that takes the first number
        compact += 1
    return CellImage(np.asarray(_open_npy(image)[row]).astype(np.uint8), compact, kinds)


def _png_folders(folder: Path, split: Split) -> list[Item] | None:
    images, instances = _child(folder, _IMAGE_FOLDERS), _child(folder, _INSTANCE_FOLDERS)
    if images is None or instances is None:
        return None
    types = _child(folder, _TYPE_FOLDERS)
    below = _split_folder(images, split)
    if below is None:
        return []
    tail = below.relative_to(images)
    files = list(_image_files(below))
    missing = [f.stem for f in files if not (instances / tail / f"{f.stem}.png").is_file()]
    if missing:
        raise InputError(
            f"{len(missing)} of {len(files)} images in '{below}' have no instance map, e.g. '{missing[0]}'",
            f"'{instances / tail}' needs a PNG of the same name",
        )
    return [
        Item(
            str(file),
            partial(_read_pngs, file, instances / tail / f"{file.stem}.png", _png_beside(types, tail, file)),
        )
        for file in files
    ]


def _png_beside(folder: Path | None, tail: Path, image: Path) -> Path | None:
    return None if folder is None else folder / tail / f"{image.stem}.png"


def _read_pngs(image: Path, instances: Path, types: Path | None) -> CellImage:
    kinds = None if types is None else _read_image(types).astype(np.uint8)
    return _checked(image, _read_rgb(image), _read_image(instances).astype(np.int32), kinds)


def _mat_folders(folder: Path, split: Split) -> list[Item] | None:
    root = _split_folder(folder, split)
    if root is None:
        return [] if _split_folder(folder, "train" if split == "test" else "test") else None
    images, labels = _child(root, _IMAGE_FOLDERS), _child(root, _MAT_FOLDERS)
    if images is None or labels is None or not any(labels.glob("*.mat")):
        return None
    return [
        Item(str(file), partial(_read_mat, file, labels / f"{file.stem}.mat"))
        for file in _image_files(images)
        if (labels / f"{file.stem}.mat").is_file()
    ]


def _read_mat(image: Path, mat: Path) -> CellImage:
    from scipy.io import loadmat

    try:
        content = loadmat(mat)
    except Exception as error:  # whatever a damaged file makes SciPy's parser stumble over
        raise InputError(f"'{mat}' cannot be read: {error}") from error
    if "inst_map" not in content:
        raise InputError(f"'{mat}' has no 'inst_map'", "HoVer-Net's files have inst_map, and type_map or inst_type")
    instances = np.asarray(content["inst_map"]).astype(np.int32)
    types = content.get("type_map")
    if types is None and "inst_type" in content:
        types = _types_by_instance(instances, np.asarray(content["inst_type"]).ravel(), mat)
    return _checked(image, _read_rgb(image), instances, None if types is None else np.asarray(types).astype(np.uint8))


def _types_by_instance(instances: NDArray[np.int32], kinds: NDArray[Any], mat: Path) -> NDArray[np.uint8]:
    """`kinds` in the order of the ids that there are."""
    ids = np.unique(instances[instances > 0])
    if len(ids) != len(kinds):
        raise InputError(f"'{mat}' has {len(ids)} nuclei in inst_map, types of {len(kinds)} in inst_type")
    table = np.zeros(int(instances.max(initial=0)) + 1, np.uint8)
    table[ids] = kinds
    return table[instances]


def _checked(
    image: Path, pixels: NDArray[np.uint8], instances: NDArray[np.int32], types: NDArray[np.uint8] | None
) -> CellImage:
    for name, array in (("instance map", instances), ("type map", types)):
        if array is not None and array.shape != pixels.shape[:2]:
            raise InputError(f"the {name} of '{image}' is {array.shape} px, the image {pixels.shape[:2]}")
    return CellImage(pixels, instances, types)


def _read_rgb(path: Path) -> NDArray[np.uint8]:
    return _read_image(path, "RGB").astype(np.uint8)


def _read_image(path: Path, mode: str | None = None) -> NDArray[Any]:
    try:
        with Image.open(path) as file:
            return np.asarray(file if mode is None else file.convert(mode))
    except (OSError, ValueError) as error:
        raise InputError(f"'{path}' cannot be read: {error}") from error


def _child(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((p for p in sorted(folder.iterdir()) if p.is_dir() and p.name.lower() in names), None)


def _split_folder(folder: Path, split: Split) -> Path | None:
    """The subfolder of a split; the folder itself where it has no splits and training asks; else None."""
    there = {p.name.lower(): p for p in folder.iterdir() if p.is_dir() and p.name.lower() in ("train", "test")}
    if split in there:
        return there[split]
    return folder if not there and split == "train" else None


def _image_files(folder: Path) -> Iterator[Path]:
    return (p for p in sorted(folder.iterdir()) if p.suffix.lower() in IMAGE_ENDINGS)
