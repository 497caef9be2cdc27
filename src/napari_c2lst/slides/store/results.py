"""Write results into the user's SpatialData store: only elements of ours, whole or not at all.

Elements are written as a store of their own beside the user's, then take their place by renames (see `moving`).
"""

from __future__ import annotations

import os
import uuid
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.files import check_free_space, disk_errors
from napari_c2lst.common.places import is_place
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.slides.facts import OURS, SlideFacts
from napari_c2lst.slides.opening import find_reader, open_slide
from napari_c2lst.slides.readers.reading import Wanted, quiet
from napari_c2lst.slides.readers.store import is_store, read_store
from napari_c2lst.slides.slide import Slide

from .in_parts import InParts, add_rest
from .moving import move_in, move_out, remove_temporary
from .storing import write_store

_KINDS = ("images", "shapes", "tables")
_ALL_KINDS = (*_KINDS, "labels", "points")


def write_elements(
    slide: Slide,
    tables: Mapping[str, Any] | None = None,
    shapes: Mapping[str, Any] | None = None,
    images: Mapping[str, Any] | None = None,
) -> None:
    """Write elements of ours into the store of a slide, in place of those of the same names.

    Parameters
    ----------
    tables, shapes, images
        Elements as the models of SpatialData parse them, by names that start with `c2lst_`. Tables and shapes of many
        rows may be `InParts`: they are never whole in memory, so the open slide does not hold them afterwards.

    Raises
    ------
    InputError
        If the slide is no store (convert it first), the disk is full, or the store cannot be written; then nothing is
        changed.
    """
    elements: dict[str, Mapping[str, Any]] = {"images": images or {}, "shapes": shapes or {}, "tables": tables or {}}
    refuse_names(slide, elements)
    if not any(elements.values()):
        return
    elements["shapes"] = {**_squares_to_store(slide), **elements["shapes"]}
    check_free_space(slide.path, sum(_size_of(e) for group in elements.values() for e in group.values()))
    temporary = slide.path.absolute().with_name(f".{slide.path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with disk_errors(slide.path):
            _write_beside(temporary, elements, _store_format(slide.path))
            names = [(kind, name) for kind in _KINDS for name in elements[kind]]
            move_in(temporary, slide.path, names)
    finally:
        remove_temporary(temporary, slide.path)
    _show_in_memory(slide, elements)


def remove_tables(slide: Slide, names: Sequence[str]) -> None:
    """Take tables of ours out of the store of a slide, all of them or none.

    Raises
    ------
    InputError
        If the slide is no store, or the store cannot be written; then nothing is changed.
    """
    refuse_names(slide, {"tables": names})
    temporary = slide.path.absolute().with_name(f".{slide.path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        with disk_errors(slide.path):
            temporary.mkdir()
            move_out(temporary, slide.path, [("tables", name) for name in names])
    finally:
        remove_temporary(temporary, slide.path)
    for name in names:
        slide.sdata.tables.pop(name, None)


def ensure_store(
    path: Path,
    reporter: Reporter,
    *,
    image: Path | None = None,
    mpp: float | None = None,
    image_name: str | None = None,
    table: str | None = None,
    coordinate_system: str | None = None,
    image_scale: float | None = None,
    square_um: float = 112.0,
    check: Callable[[Slide], None] = lambda _: None,
) -> Path:
    """The SpatialData store of a slide; an input that is none is converted first, beside it, and it is said where.

    A store that was made from the same input before is used again. `check` is called with a slide before it is
    converted, and may refuse it. The other parameters are those of `open_slide`.

    Raises
    ------
    InputError
        If the slide cannot be opened, a store of that name was made from something else or in another way (other than
        by `mpp`, which overrides), or `path` is a store and an image is given that is not in it.
    """
    path = Path(path)
    if is_store(path):
        if image is not None:
            raise InputError(
                f"results are written into '{path}', which does not hold '{image}'",
                "make a store that does: c2lst convert PATH OUT.zarr --image FILE",
            )
        return path
    # nothing needs to be read to see whether the store is there
    find_reader(path)
    target = _writable_folder(path) / store_name(path)
    if target.exists():
        facts = read_store(target, Wanted()).facts
        _refuse_other_source(target, facts, path, image)
        wanted = {"image_name": image_name, "table": table, "coordinate_system": coordinate_system}
        _refuse_other_opening(target, facts, {**wanted, "image_scale": image_scale, "square_um": square_um})
        reporter.message(f"using '{target}', made from '{path}' before")
        return target
    slide = open_slide(
        path,
        image=image,
        mpp=mpp,
        image_name=image_name,
        table=table,
        coordinate_system=coordinate_system,
        image_scale=image_scale,
        square_um=square_um,
    )
    check(slide)
    for note in slide.notes:
        reporter.message(note)
    reporter.message(f"results need a SpatialData store: '{path}' is converted to '{target}'")
    write_store(slide, target, reporter, source=str(path.absolute()))
    return target


def store_name(path: Path) -> str:
    """What the store of a slide is called: `B4` and `B4.jpg` -> `B4.zarr`, `sample/outs` -> `sample.zarr`."""
    path = path.absolute()
    while path.name in ("outs", "binned_outputs") or path.match("square_???um"):
        path = path.parent
    name = path.name
    if path.is_file():
        for ending in (".gz", path.suffix if path.suffix != ".gz" else "", ".tsv", ".ome"):
            name = name.removesuffix(ending)
    return f"{name}.zarr"


def _writable_folder(path: Path) -> Path:
    """The folder a slide's store is written into: the one the slide lies in, else the current one."""
    beside = path.absolute().parent
    return beside if os.access(beside, os.W_OK) else Path.cwd()


def _refuse_other_source(store: Path, facts: SlideFacts, path: Path, image: Path | None) -> None:
    if not is_place(facts.source, path, store.parent):
        raise InputError(
            f"'{store}' is there and was not made from '{path}'", f"open '{store}' itself, or move it away"
        )
    if image is not None and not is_place(facts.source_image, image, store.parent):
        raise InputError(f"'{store}' was made from '{path}' with another image than '{image}'", f"move '{store}' away")


def _refuse_other_opening(store: Path, facts: SlideFacts, wanted: Mapping[str, str | float | None]) -> None:
    """Raise an InputError if a store holds something else than is wanted now; what is left out may be anything."""
    made = facts.opened
    # a store of an earlier version kept nothing; squares matter to Visium HD alone
    other = {
        f"--{name.replace('_', '-')}": (made.get(name, "none"), value)
        for name, value in wanted.items()
        if made and value is not None and made.get(name) != value and not (name == "square_um" and name not in made)
    }
    if other:
        differences = "; ".join(f"{option} was {before}, now it is {now}" for option, (before, now) in other.items())
        raise InputError(
            f"'{store}' was made from the same input in another way: {differences}",
            "convert to another name (c2lst convert PATH OUT.zarr), or "
            + ("give what it was made with" if "--square-um" in other else "leave the option out"),
        )


def refuse_names(slide: Slide, names: Mapping[str, Iterable[str]]) -> None:
    """Refuse what `write_elements` could not write into the store of a slide: to be asked before long work.

    Parameters
    ----------
    names
        Names of elements by their kind (`images`, `shapes`, `tables`).

    Raises
    ------
    InputError
        If the slide is no store, or an element there has such a name but for capitals, or is of another kind: a
        SpatialData with both could not be opened any more.
    """
    if not slide.is_zarr:
        raise InputError(
            f"'{slide.path}' is not a SpatialData store: nothing can be written into it", "run 'c2lst convert' first"
        )
    wanted = [(kind, name) for kind, group in names.items() for name in group]
    foreign = [name for _, name in wanted if not name.startswith(OURS)]
    if foreign:
        raise ValueError(f"only elements called {OURS}* are ours to write, not {foreign}")
    there = {(p.parent.name, p.name) for kind in _ALL_KINDS for p in (slide.path / kind).glob("[!.]*") if p.is_dir()}
    for kind, name in wanted:
        alike = [(k, n) for k, n in sorted(there - {(kind, name)}) if n.casefold() == name.casefold()]
        if alike:
            raise InputError(
                f"'{slide.path}' cannot hold {kind} '{name}' beside {alike[0][0]} '{alike[0][1]}'",
                "choose another name for the result",
            )


def _squares_to_store(slide: Slide) -> dict[str, Any]:
    """The squares of Visium HD bins, which were made on opening: results that refer to them need them in the store."""
    name = slide.shapes_name
    if name is None or not name.startswith(OURS) or (slide.path / "shapes" / name).exists():
        return {}
    return {name: slide.sdata.shapes[name]}


def _size_of(element: Any) -> int:
    """Bytes an element takes in memory, an upper bound of what it takes on disk."""
    if isinstance(element, InParts):
        first = element.first()
        return _size_of(first) * element.rows // max(1, len(first))
    if hasattr(element, "obs"):
        parts = [element.X, *element.layers.values(), *element.obsm.values()]
        return sum(_matrix_bytes(part) for part in parts if part is not None) + 200 * len(element.obs)
    if hasattr(element, "geometry"):
        return 500 * len(element)
    return int(element.nbytes)


def _matrix_bytes(matrix: Any) -> int:
    if hasattr(matrix, "indptr"):
        return int(matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes)
    nbytes = getattr(matrix, "nbytes", None)
    return int(nbytes if nbytes is not None else matrix.memory_usage().sum())


def _store_format(store: Path) -> Any:
    """The container format of a store, so that what we add can be read by what reads the rest."""
    from spatialdata._io.format import SpatialDataContainerFormatV01, SpatialDataContainerFormatV02

    return SpatialDataContainerFormatV02() if (store / "zarr.json").is_file() else SpatialDataContainerFormatV01()


def _write_beside(temporary: Path, elements: Mapping[str, Mapping[str, Any]], container: Any) -> None:
    from spatialdata import SpatialData

    with warnings.catch_warnings(), quiet():
        # a table may annotate spots that are in the user's store only
        warnings.simplefilter("ignore")
        sdata = SpatialData(**{kind: {n: _begun(e) for n, e in group.items()} for kind, group in elements.items()})
        sdata.write(temporary, consolidate_metadata=False, sdata_formats=container, update_sdata_path=False)
        del sdata
        for kind, group in elements.items():
            for name, element in group.items():
                if isinstance(element, InParts):
                    add_rest(temporary / kind / name, element)


def _begun(element: Any) -> Any:
    """An element, or its first part."""
    return element.first() if isinstance(element, InParts) else element


def _show_in_memory(slide: Slide, elements: Mapping[str, Mapping[str, Any]]) -> None:
    """Let the open slide hold what its store now holds, but for what is too large to be whole in memory."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for kind, group in elements.items():
            held = getattr(slide.sdata, kind)
            for name, element in group.items():
                held.pop(name, None)
                if not isinstance(element, InParts):
                    held[name] = element
