from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from tests.cells.training.nuclei import disc_image, write_pngs

from napari_c2lst.cells.training.layouts import CellImage, find_items
from napari_c2lst.common.errors import InputError


def same(a: CellImage, b: CellImage) -> bool:
    return (
        np.array_equal(a.image, b.image)
        and np.array_equal(a.instances, b.instances)
        and (a.types is None) == (b.types is None)
        and (a.types is None or b.types is None or np.array_equal(a.types, b.types))
    )


class TestFolders:
    def test_images_and_maps_come_back(self, tmp_path: Path) -> None:
        nuclei = disc_image()
        write_pngs(tmp_path, "a", nuclei)
        write_pngs(tmp_path, "b", disc_image(seed=1), "test")
        (item,) = find_items(tmp_path, "train")
        assert item.name.endswith("a.png")
        assert same(item.read(), nuclei)
        assert [Path(i.name).stem for i in find_items(tmp_path, "test")] == ["b"]

    def test_without_splits_all_is_for_training(self, tmp_path: Path) -> None:
        write_pngs(tmp_path, "a", disc_image(), split="")
        assert len(find_items(tmp_path, "train")) == 1
        assert find_items(tmp_path, "test") == []

    def test_without_types_there_are_none(self, tmp_path: Path) -> None:
        nuclei = disc_image()
        write_pngs(tmp_path, "a", CellImage(nuclei.image, nuclei.instances, None))
        assert find_items(tmp_path, "train")[0].read().types is None

    def test_an_image_without_its_map_is_named(self, tmp_path: Path) -> None:
        write_pngs(tmp_path, "a", disc_image())
        write_pngs(tmp_path, "b", disc_image())
        (tmp_path / "inst" / "train" / "b.png").unlink()
        with pytest.raises(InputError, match=r"1 of 2 images .* no instance map, e.g. 'b'"):
            find_items(tmp_path, "train")

    def test_maps_of_another_size_are_refused(self, tmp_path: Path) -> None:
        write_pngs(tmp_path, "a", disc_image())
        Image.fromarray(np.zeros((50, 60), np.uint16)).save(tmp_path / "inst" / "train" / "a.png")
        with pytest.raises(InputError, match=r"instance map of .* is \(50, 60\) px, the image \(120, 120\)"):
            find_items(tmp_path, "train")[0].read()

    def test_a_damaged_image_is_named(self, tmp_path: Path) -> None:
        write_pngs(tmp_path, "a", disc_image())
        (tmp_path / "images" / "train" / "a.png").write_bytes(b"no image")
        with pytest.raises(InputError, match=r"a.png' cannot be read"):
            find_items(tmp_path, "train")[0].read()

    @pytest.mark.parametrize("ending", ["jpg", "tif", "BMP"])
    def test_images_of_other_formats(self, tmp_path: Path, ending: str) -> None:
        write_pngs(tmp_path, "a", disc_image(), ending=ending)
        (item,) = find_items(tmp_path, "train")
        assert np.abs(item.read().image.astype(int) - disc_image().image).mean() < 12

    def test_folders_in_capitals_and_grey_images(self, tmp_path: Path) -> None:
        write_pngs(tmp_path, "a", disc_image(), "Train")
        for name in ("images", "inst", "type"):
            (tmp_path / name).rename(tmp_path / name.title())
        grey = tmp_path / "Images" / "Train" / "a.png"
        Image.open(grey).convert("L").save(grey)
        nuclei = find_items(tmp_path, "train")[0].read()
        assert nuclei.image.shape == (120, 120, 3)
        assert (nuclei.image[..., 0] == nuclei.image[..., 2]).all()

    def test_a_map_that_is_a_picture_is_refused(self, tmp_path: Path) -> None:
        """As where the outlines were saved as a coloured overlay."""
        write_pngs(tmp_path, "a", disc_image())
        Image.fromarray(disc_image().image).save(tmp_path / "inst" / "train" / "a.png")
        with pytest.raises(InputError, match=r"instance map of .* is \(120, 120, 3\) px"):
            find_items(tmp_path, "train")[0].read()

    def test_a_missing_type_map_is_named(self, tmp_path: Path) -> None:
        write_pngs(tmp_path, "a", disc_image())
        (tmp_path / "type" / "train" / "a.png").unlink()
        with pytest.raises(InputError, match=r"type.train.a.png' cannot be read"):
            find_items(tmp_path, "train")[0].read()

    def test_an_image_cut_off_anywhere_is_named(self, tmp_path: Path) -> None:
        write_pngs(tmp_path, "a", disc_image(40))
        file = tmp_path / "images" / "train" / "a.png"
        whole = file.read_bytes()
        (item,) = find_items(tmp_path, "train")
        for end in (0, 5, 20, 40, len(whole) // 2, len(whole) - 30):
            file.write_bytes(whole[:end])
            with pytest.raises(InputError, match=r"a.png' cannot be read"):
                item.read()

    def test_consep(self, shared: Path) -> None:
        items = find_items(shared / "hne-consep", "test")
        assert len(items) == 224
        nuclei = items[0].read()
        assert nuclei.image.shape == (256, 256, 3)
        assert nuclei.types is not None
        assert np.array_equal(nuclei.instances > 0, nuclei.types > 0)
        assert nuclei.types.max() <= 4


class TestMat:
    def write(self, folder: Path, **content: np.ndarray) -> CellImage:
        nuclei = disc_image()
        for name in ("Images", "Labels"):
            (folder / name).mkdir(parents=True)
        Image.fromarray(nuclei.image).save(folder / "Images" / "a.png")
        savemat(folder / "Labels" / "a.mat", content or {"inst_map": nuclei.instances, "type_map": nuclei.types})
        return nuclei

    def test_maps_come_back(self, tmp_path: Path) -> None:
        nuclei = self.write(tmp_path)
        assert same(find_items(tmp_path, "train")[0].read(), nuclei)

    def test_splits(self, tmp_path: Path) -> None:
        self.write(tmp_path / "Train")
        assert len(find_items(tmp_path, "train")) == 1
        assert find_items(tmp_path, "test") == []
        self.write(tmp_path / "Test")
        assert len(find_items(tmp_path, "test")) == 1

    def test_types_of_instances_in_the_order_of_their_ids(self, tmp_path: Path) -> None:
        nuclei = disc_image()
        ids = np.unique(nuclei.instances)[1:]
        assert nuclei.types is not None
        kinds = [[nuclei.types[nuclei.instances == i][0]] for i in ids]
        self.write(tmp_path, inst_map=nuclei.instances, inst_type=np.array(kinds))
        assert same(find_items(tmp_path, "train")[0].read(), nuclei)

    @pytest.mark.parametrize("count", [1, 3, 40])
    def test_types_of_more_or_fewer_nuclei_are_refused(self, tmp_path: Path, count: int) -> None:
        """Which type belongs to which nucleus cannot be told then; a guess would teach wrong types."""
        nuclei = disc_image()
        there = len(np.unique(nuclei.instances)) - 1
        self.write(tmp_path, inst_map=nuclei.instances, inst_type=np.ones((count, 1)))
        with pytest.raises(InputError, match=rf"has {there} nuclei in inst_map, types of {count} in inst_type"):
            find_items(tmp_path, "train")[0].read()

    def test_without_types_there_are_none(self, tmp_path: Path) -> None:
        self.write(tmp_path, inst_map=disc_image().instances)
        assert find_items(tmp_path, "train")[0].read().types is None

    def test_without_instances_it_is_refused(self, tmp_path: Path) -> None:
        self.write(tmp_path, something=np.zeros((3, 3)))
        with pytest.raises(InputError, match="has no 'inst_map'"):
            find_items(tmp_path, "train")[0].read()

    def test_a_damaged_file_is_named(self, tmp_path: Path) -> None:
        self.write(tmp_path)
        (tmp_path / "Labels" / "a.mat").write_bytes(b"MATLAB but not quite")
        with pytest.raises(InputError, match=r"a.mat' cannot be read"):
            find_items(tmp_path, "train")[0].read()

    def test_real_files(self, shared: Path) -> None:
        items = find_items(shared / "hne-nuclei-mat", "train")
        read = [item.read() for item in items]
        assert [len(np.unique(n.instances)) - 1 for n in read] == [20, 47, 58]
        assert all(n.types is not None and n.types.max() <= 5 for n in read)


class TestPanNuke:
    def write(self, folder: Path) -> np.ndarray:
        masks = np.zeros((2, 256, 256, 6))
        masks[0, 10:20, 10:20, 0] = 7  # neoplastic
        masks[0, 30:40, 30:40, 4] = 7  # epithelial, the same id in another channel
        masks[0, ..., 5] = masks[0, ..., :5].sum(2) == 0
        masks[1, ..., 2] = 1  # all connective, no background
        (folder / "images" / "fold1").mkdir(parents=True)
        (folder / "masks" / "fold1").mkdir(parents=True)
        np.save(folder / "images" / "fold1" / "images.npy", np.full((2, 256, 256, 3), 130.0))
        np.save(folder / "masks" / "fold1" / "masks.npy", masks)
        return masks

    def test_channels_are_types(self, tmp_path: Path) -> None:
        self.write(tmp_path)
        first = find_items(tmp_path, "train")[0].read()
        assert first.types is not None
        assert first.image.dtype == np.uint8
        assert (first.types[15, 15], first.types[35, 35], first.types[0, 0]) == (1, 5, 0)
        assert len({first.instances[15, 15], first.instances[35, 35], 0}) == 3

    def test_a_patch_without_background(self, tmp_path: Path) -> None:
        self.write(tmp_path)
        second = find_items(tmp_path, "train")[1].read()
        assert (second.instances > 0).all()
        assert second.types is not None
        assert (second.types == 3).all()

    def test_arrays_side_by_side(self, tmp_path: Path) -> None:
        np.save(tmp_path / "images.npy", np.zeros((1, 256, 256, 3), np.uint8))
        np.save(tmp_path / "masks.npy", np.zeros((1, 256, 256, 6), np.uint8))
        nuclei = find_items(tmp_path, "train")[0].read()
        assert nuclei.instances.max() == 0

    def test_it_has_no_test_split(self, tmp_path: Path) -> None:
        self.write(tmp_path)
        assert find_items(tmp_path, "test") == []

    def test_other_arrays_are_refused(self, tmp_path: Path) -> None:
        np.save(tmp_path / "images.npy", np.zeros((3, 256, 256, 3), np.uint8))
        np.save(tmp_path / "masks.npy", np.zeros((2, 256, 256, 6), np.uint8))
        with pytest.raises(InputError, match="are not PanNuke's arrays"):
            find_items(tmp_path, "train")

    def test_masks_without_images(self, tmp_path: Path) -> None:
        np.save(tmp_path / "masks.npy", np.zeros((2, 256, 256, 6), np.uint8))
        with pytest.raises(InputError, match=r"has no images.npy beside it"):
            find_items(tmp_path, "train")

    def test_pickled_arrays_are_not_opened(self, tmp_path: Path) -> None:
        np.save(tmp_path / "images.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
        np.save(tmp_path / "masks.npy", np.zeros((1, 256, 256, 6), np.uint8))
        with pytest.raises(InputError, match="cannot be read"):
            find_items(tmp_path, "train")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no folder"):
        find_items(tmp_path / "none", "train")


def test_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(InputError, match="none of the layouts"):
        find_items(tmp_path, "train")
