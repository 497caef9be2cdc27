"""A trained HoVer-Net on images it has not seen: its nuclei beside the true ones, as scores and as pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_c2lst.cells.facts import Types
from napari_c2lst.cells.inference import Maps, NucleusNet
from napari_c2lst.cells.network import INPUT_PX, OUTPUT_PX
from napari_c2lst.cells.postprocess import Nuclei, measure, postprocess
from napari_c2lst.cells.tiling import padded_size
from napari_c2lst.common.files import atomic_file
from napari_c2lst.common.reporter import Reporter

from .datasets import CellData
from .metrics import instance_scores
from .overlays import beside
from .type_metrics import TypedPoints, joined, pair, type_scores

PUBLISHED: Mapping[str, float] = {"dice": 0.853, "aji": 0.571, "dq": 0.702, "sq": 0.778, "pq": 0.547}
"""HoVer-Net on CoNSeP's test tiles (Graham et al. 2019): the full width, an encoder from ImageNet."""

CORE_PX = 512  # what is computed at a time; more takes more memory
MOST_PICTURES = 6


def find_nuclei(net: NucleusNet, image: NDArray[np.uint8]) -> tuple[NDArray[np.int32], Nuclei]:
    """Nuclei of a whole image, which is mirrored at its edges.

    Parameters
    ----------
    image
        (H, W, 3) uint8.
    """
    maps = whole_maps(net, image)
    types = None if maps.types is None else maps.types[0]
    return postprocess(types, maps.prob[0], maps.horizontal[0], maps.vertical[0])


def whole_maps(net: NucleusNet, image: NDArray[np.uint8], core: int = CORE_PX) -> Maps:
    """Maps (1, H, W) of a whole image, computed in squares of `core` pixels with the context that the network needs."""
    height, width = image.shape[:2]
    mode = net.facts.mode
    core = min(core, -(-max(height, width) // 8) * 8)
    px = padded_size(core, mode)
    margin = (INPUT_PX[mode] - OUTPUT_PX[mode]) // 2
    far = [-(-n // core) * core - n + px - core - margin for n in (height, width)]
    padded = np.pad(image, ((margin, far[0]), (margin, far[1]), (0, 0)), mode="symmetric")
    whole = Maps(
        None if net.facts.nr_types is None else np.zeros((1, height, width), np.uint8),
        *(np.zeros((1, height, width), np.float32) for _ in range(3)),
    )
    for top in range(0, height, core):
        for left in range(0, width, core):
            part = net.maps(padded[None, top : top + px, left : left + px])
            _put(whole, part, top, left, core)
    return whole


def _put(whole: Maps, part: Maps, top: int, left: int, core: int) -> None:
    """Write the upper left `core` pixels of a part's maps into their place."""
    for name in ("types", "prob", "horizontal", "vertical"):
        target, source = getattr(whole, name), getattr(part, name)
        if target is not None:
            place = target[:, top : top + core, left : left + core]
            place[...] = source[:, : place.shape[1], : place.shape[2]]


def score_and_show(
    net: NucleusNet, test: CellData, folder: Path, reporter: Reporter, types: Types = ()
) -> dict[str, float]:
    """Scores on every image of `test`, and pictures of the first ones: found nuclei on the left, true ones beside them.

    Parameters
    ----------
    folder
        Where the pictures go.
    types
        Names and colours; empty scores outlines only.

    Returns
    -------
    dict
        Means over the images of `dice`, `aji`, `dq`, `sq`, `pq`; `images`; with types `f1_detection`, `type_accuracy`
        and `f1_<name>`. Empty without images.
    """
    rows, pairings = [], []
    for index in range(len(test)):
        truth = test[index]
        labels, nuclei = find_nuclei(net, truth.image)
        rows.append(instance_scores(truth.instances, labels))
        true_nuclei = measure(truth.instances, truth.types)
        if types:
            pairings.append(pair(_points(true_nuclei), _points(nuclei)))
        if index < MOST_PICTURES:
            colours = [t.colour for t in types]
            picture = beside(truth.image, (labels, nuclei), (truth.instances, true_nuclei), colours)
            file = folder / f"{picture_name(test, index)}.png"
            with atomic_file(file) as temporary:
                picture.save(temporary, "PNG")
            reporter.picture(file, "found nuclei (left) and true ones (right)")
        reporter.progress(index + 1, len(test), "images scored")
    if not rows:
        return {}
    scores = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    scores |= type_scores(joined(pairings), [t.name for t in types[1:]]) if pairings else {}
    return {"images": len(rows)} | {name: round(value, 4) for name, value in scores.items()}


def picture_name(test: CellData, index: int) -> str:
    """What an image is called without folder and ending; images of one name, as all of PanNuke's, are numbered."""
    stems = [Path(item.name).stem for item in test.items]
    return stems[index] if stems.count(stems[index]) == 1 else f"{stems[index]}_{index}"


def _points(nuclei: Nuclei) -> TypedPoints:
    return TypedPoints(nuclei.centroid, nuclei.type)


def score_lines(scores: Mapping[str, float]) -> list[str]:
    """Scores as lines, beside what was published."""
    if not scores:
        return ["not scored: there is no test split (--test names one)"]
    names: Sequence[str] = ("dice", "aji", "dq", "sq", "pq")
    here = ", ".join(f"{_title(n)} {scores[n]:.3f}" for n in names)
    there = ", ".join(f"{_title(n)} {PUBLISHED[n]:.3f}" for n in names)
    lines = [f"scores on {scores['images']:.0f} images: {here}", f"HoVer-Net as published, on CoNSeP:  {there}"]
    kinds = [n for n in scores if n.startswith("f1_") and n != "f1_detection"]
    if kinds:
        each = ", ".join(f"{n.removeprefix('f1_')} {scores[n]:.3f}" for n in kinds)
        lines.append(f"F1 of finding nuclei {scores['f1_detection']:.3f}; of types: {each}")
    return lines


def _title(name: str) -> str:
    return "Dice" if name == "dice" else name.upper()
