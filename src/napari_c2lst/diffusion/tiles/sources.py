"""What the user's paths hold: tile images, SPIDER collections, slides; a bad file is named and left out."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import InputError

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp"}
# an image of up to this many pixels a side is one tile, a larger one is a slide to cut tiles from
TILE_SIDE_MAX = 512
SPIDER = "metadata.json"


@dataclass(frozen=True)
class TileImage:
    """An image that is one tile, and the slide it was cut from as far as is known: tiles are split by slide."""

    path: Path
    slide: str


@dataclass(frozen=True)
class TileSources:
    """What there is to learn from.

    Attributes
    ----------
    images
        Images that are one tile each.
    slides
        Slides to cut tiles from, at random places on tissue.
    skipped
        Files that cannot be used, each with its reason.
    """

    images: tuple[TileImage, ...]
    slides: tuple[Path, ...]
    skipped: tuple[str, ...] = ()


def find_sources(paths: Sequence[Path]) -> TileSources:
    """Sort paths into tile images and slides; a folder of images counts as its images, a SPIDER folder as its tiles.

    Raises
    ------
    InputError
        If a path does not exist, or there is nothing to learn from.
    """
    missing = [str(p) for p in paths if not p.exists()]
    if missing:
        raise InputError(f"no such path: {', '.join(missing)}", "check the names of the tile folders")
    images: list[TileImage] = []
    slides: list[Path] = []
    skipped: list[str] = []
    for path in paths:
        if is_spider(path):
            found, bad = spider_tiles(path)
        else:
            found, cut, bad = _sorted_images(path)
            slides += cut
        images += found
        skipped += bad
    if not images and not slides:
        reasons = f" ({'; '.join(skipped[:3])})" if skipped else ""
        raise InputError(f"there are no tiles to learn from{reasons}", "give folders of images, or slides")
    return TileSources(tuple(images), tuple(slides), tuple(skipped))


def is_spider(path: Path) -> bool:
    """Whether a folder is a SPIDER collection: `metadata.json` beside a folder `images`."""
    return (path / SPIDER).is_file() and (path / "images").is_dir()


def spider_tiles(folder: Path) -> tuple[list[TileImage], list[str]]:
    """Centres and context tiles of a SPIDER collection, each once, with the slide they come from.

    Contexts repeat from record to record, and may name files that are not there.

    Raises
    ------
    InputError
        If `metadata.json` is not SPIDER's.
    """
    tiles: dict[str, TileImage] = {}
    missing: set[str] = set()
    for record in _spider_records(folder):
        for name in _names_of(record):
            file = folder / "images" / Path(name).name
            if name in tiles or name in missing:
                continue
            if file.is_file():
                tiles[name] = TileImage(file, str(record.get("slide_id") or file.stem))
            else:
                missing.add(name)
    skipped = [f"{len(missing)} images named in '{folder / SPIDER}' are not there"] if missing else []
    return list(tiles.values()), skipped


def _spider_records(folder: Path) -> list[dict[str, Any]]:
    try:
        records = json.loads((folder / SPIDER).read_text(encoding="utf-8"))
        names = [name for record in records for name in _names_of(record)]
        faulty = not isinstance(records, list) or not all(isinstance(name, str) for name in names)
    except (AttributeError, KeyError, OSError, TypeError, ValueError):
        faulty = True
    if faulty:
        raise InputError(
            f"'{folder / SPIDER}' is not SPIDER's list of records with 'image_name'", "download the collection again"
        )
    return list(records)


def _names_of(record: dict[str, Any]) -> list[str]:
    """The tile's own file and those of its context."""
    return list(filter(None, [record["image_name"], *(record.get("context_info") or {}).values()]))


def _sorted_images(path: Path) -> tuple[list[TileImage], list[Path], list[str]]:
    """The tiles, slides and bad files of a path that is no SPIDER collection."""
    files = _images_in(path)
    if not files:
        return [], [path], []
    tiles: list[TileImage] = []
    slides: list[Path] = []
    skipped: list[str] = []
    for file in files:
        try:
            if _is_tile(file):
                tiles.append(TileImage(file, path.name if path.is_dir() else file.stem))
            else:
                slides.append(file)
        except InputError as error:
            skipped.append(error.message)
    return tiles, slides, skipped


def _images_in(path: Path) -> list[Path]:
    if path.is_file():
        return [path] if path.suffix.lower() in IMAGE_SUFFIXES else []
    found = sorted(f for f in path.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES)
    # a folder that holds counts as well is a slide of its own, not a folder of tiles
    other = any(f.name.endswith((".tsv.gz", ".h5", ".h5ad")) for f in path.iterdir())
    return [] if other else found


def _is_tile(file: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(file) as image:
            return max(image.size) <= TILE_SIDE_MAX
    except Image.DecompressionBombError:
        return False  # far larger than a tile
    except OSError as error:
        if file.suffix.lower() in {".tif", ".tiff"}:
            return False  # tiled and compressed TIFFs that Pillow does not know are opened as slides
        raise InputError(f"'{file}' is not an image that can be read", "remove it, or save it again") from error
