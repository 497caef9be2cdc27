"""Images with outlined nuclei as one list, CoNSeP's patches put back into their tiles, and what types there are."""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from napari_c2lst.common.basis import Basis
from napari_c2lst.common.errors import InputError
from napari_c2lst.common.files import content_hash

from .layouts import CellImage, Item, Split, find_items
from .stitching import agreement, stitch, tiles_of

_KEPT_BYTES = 4_000_000_000


class CellData:
    """Images with their nuclei, read once and kept while they fit in memory.

    Parameters
    ----------
    items
        The images.
    merge
        What the types 1, 2, ... become; empty leaves them as they are.
    """

    def __init__(self, items: Sequence[Item], merge: Sequence[int] = ()) -> None:
        self.items = list(items)
        self._merge = np.array([0, *merge], np.uint8)
        self._kept: dict[int, CellImage] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> CellImage:
        """Read an image.

        Raises
        ------
        InputError
            If it cannot be read, or has a type that `merge` does not name.
        """
        if index in self._kept:
            return self._kept[index]
        nuclei = self._merged(self.items[index])
        size = nuclei.image.nbytes + nuclei.instances.nbytes + (0 if nuclei.types is None else nuclei.types.nbytes)
        if self._bytes + size <= _KEPT_BYTES:
            self._kept[index], self._bytes = nuclei, self._bytes + size
        return nuclei

    def _merged(self, item: Item) -> CellImage:
        nuclei = item.read()
        if nuclei.types is None or len(self._merge) == 1:
            return nuclei
        if int(nuclei.types.max(initial=0)) >= len(self._merge):
            raise InputError(
                f"'{item.name}' has type {nuclei.types.max()}, merge names {len(self._merge) - 1} types",
                "give --merge as many numbers as the data have types",
            )
        return CellImage(nuclei.image, nuclei.instances, self._merge[nuclei.types])

    def count_types(self) -> int | None:
        """The largest type there is; None where the data have no types.

        Raises
        ------
        InputError
            If some images have types and others none.
        """
        largest = [None if (kinds := self[k].types) is None else int(kinds.max(initial=0)) for k in range(len(self))]
        known = [kind for kind in largest if kind is not None]
        if known and len(known) < len(largest):
            bare = self.items[largest.index(None)].name
            raise InputError(f"'{bare}' has no types, others have", "give types to all images or to none")
        return max(known) if known else None

    def basis(self) -> Basis:
        """What was learned from, by content."""
        return {"images of nuclei": content_hash(part for k in range(len(self)) for part in _bytes_of(self[k]))}


def _bytes_of(nuclei: CellImage) -> Iterable[bytes]:
    yield nuclei.image.tobytes()
    yield nuclei.instances.tobytes()
    if nuclei.types is not None:
        yield nuclei.types.tobytes()


def find_cell_data(folders: Iterable[Path], split: Split, merge: Sequence[int] = ()) -> CellData:
    """The images of all folders.

    Raises
    ------
    InputError
        If a folder is not there or its layout unknown.
    """
    return CellData([item for folder in folders for item in joined(find_items(Path(folder), split))], merge)


def find_test_data(folders: Iterable[Path], merge: Sequence[int] = ()) -> CellData:
    """The images to score on: the test split of each folder, or all of it where it has no splits."""
    items = [item for f in folders for item in joined(find_items(Path(f), "test") or find_items(Path(f), "train"))]
    return CellData(items, merge)


def joined(items: list[Item]) -> list[Item]:
    """Patches that are the 16 parts of CoNSeP's tiles as tiles; anything else as it is."""
    named = {Path(item.name).stem: item for item in items}
    tiles = tiles_of(named) if len(named) == len(items) else {}
    if not tiles:
        return items
    return [
        Item(str(Path(named[parts[0]].name).with_name(tile)), partial(_read_tile, tile, [named[p] for p in parts]))
        for tile, parts in tiles.items()
    ]


def _read_tile(tile: str, parts: list[Item]) -> CellImage:
    patches = [part.read() for part in parts]
    if (share := agreement([p.instances for p in patches])) < 1:
        raise InputError(
            f"the 16 patches of '{tile}' do not fit together: {share:.1%} of the overlaps agree",
            "name them otherwise than NAME_000 to NAME_015 if they are not CoNSeP's",
        )
    kinds = [p.types for p in patches if p.types is not None]
    return CellImage(
        stitch([p.image for p in patches]).astype(np.uint8),
        stitch([p.instances for p in patches]).astype(np.int32),
        stitch(kinds).astype(np.uint8) if len(kinds) == len(patches) else None,
    )
