from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.cells.training.nuclei import disc_folder, disc_image, write_pngs

from napari_c2lst.cells.training.datasets import CellData, find_cell_data, find_test_data, joined
from napari_c2lst.cells.training.layouts import CellImage, Item
from napari_c2lst.cells.training.stitching import OFFSETS, PATCH_PX, TILE_PX
from napari_c2lst.common.errors import InputError


def items(*nuclei: CellImage) -> list[Item]:
    return [Item(f"image {k}", lambda n=n: n) for k, n in enumerate(nuclei)]  # type: ignore[misc]


def untyped(seed: int = 0) -> CellImage:
    nuclei = disc_image(seed=seed)
    return CellImage(nuclei.image, nuclei.instances, None)


def test_an_image_is_read_once() -> None:
    reads = []

    def read() -> CellImage:
        reads.append(1)
        return disc_image()

    data = CellData([Item("a", read)])
    assert data[0] is data[0]
    assert len(reads) == 1


def test_what_does_not_fit_in_memory_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_c2lst.cells.training.datasets._KEPT_BYTES", 10)
    reads = []

    def read() -> CellImage:
        reads.append(1)
        return disc_image()

    data = CellData([Item("a", read)])
    assert np.array_equal(data[0].instances, data[0].instances)
    assert len(reads) == 2


def test_types_are_merged() -> None:
    plain, merged = CellData(items(disc_image())), CellData(items(disc_image()), (1, 1))
    assert plain.count_types() == 2
    assert merged.count_types() == 1
    assert plain[0].types is not None
    assert merged[0].types is not None
    assert np.array_equal(merged[0].types > 0, plain[0].types > 0)


def test_a_type_that_merge_does_not_name() -> None:
    with pytest.raises(InputError, match="'image 0' has type 2, merge names 1 types"):
        CellData(items(disc_image()), (1,))[0]


def test_without_types_there_is_none() -> None:
    assert CellData(items(untyped())).count_types() is None


def test_types_in_some_images_only_are_refused() -> None:
    with pytest.raises(InputError, match="'image 1' has no types, others have"):
        CellData(items(disc_image(), untyped(1))).count_types()


def test_the_basis_is_the_content() -> None:
    one, same, other = (CellData(items(disc_image(seed=s))).basis() for s in (0, 0, 1))
    assert one == same != other
    assert CellData(items(untyped())).basis() != one


def test_splits(tmp_path: Path) -> None:
    folder = disc_folder(tmp_path, train=3, test=2)
    assert (len(find_cell_data([folder], "train")), len(find_cell_data([folder], "test"))) == (3, 2)
    assert len(find_cell_data([folder, folder], "train")) == 6


def test_a_folder_to_score_on_needs_no_splits(tmp_path: Path) -> None:
    write_pngs(tmp_path / "all", "a", disc_image(), split="")
    assert len(find_test_data([tmp_path / "all"])) == 1
    assert len(find_test_data([disc_folder(tmp_path / "both", train=3, test=2)])) == 2


class TestTiles:
    def parts(self, tile: CellImage) -> list[Item]:
        def cut(k: int) -> CellImage:
            y, x = OFFSETS[k]
            window = (slice(y, y + PATCH_PX), slice(x, x + PATCH_PX))
            return CellImage(
                tile.image[window], tile.instances[window], None if tile.types is None else tile.types[window]
            )

        return [Item(f"folder/tile_7_{k:03d}.jpg", lambda k=k: cut(k)) for k in range(16)]  # type: ignore[misc]

    def test_sixteen_patches_become_their_tile(self) -> None:
        tile = disc_image(TILE_PX, count=40)
        (item,) = joined(self.parts(tile))
        assert item.name == "folder/tile_7"
        read = item.read()
        assert tile.types is not None
        assert read.types is not None
        assert np.array_equal(read.image, tile.image)
        assert np.array_equal(read.instances, tile.instances)
        assert np.array_equal(read.types, tile.types)

    def test_patches_of_something_else_are_refused(self) -> None:
        parts = self.parts(disc_image(TILE_PX, count=40))
        parts[9] = Item(parts[9].name, parts[8].read)
        with pytest.raises(InputError, match="16 patches of 'tile_7' do not fit together"):
            joined(parts)[0].read()

    def test_other_names_stay_as_they_are(self) -> None:
        parts = self.parts(disc_image(TILE_PX, count=5))[:15]
        assert joined(parts) == parts
