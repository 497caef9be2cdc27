"""Packed tiles on disk, and their split by slide."""

import json

import numpy as np
import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.diffusion.tiles.packed import FACTS, TILES, read_packed, runs, tile_writer, write_facts
from napari_c2lst.slides.patches.cutting import PatchSpec

SPEC = PatchSpec(patch_px=16)


def pack(folder, slides, names):
    tiles = np.random.default_rng(0).integers(0, 255, (len(slides), 16, 16, 3), dtype=np.uint8)
    with tile_writer(folder, 16) as writer:
        for start in range(0, len(tiles), 7):
            writer.append(tiles[start : start + 7])
    write_facts(folder, SPEC, slides, names, ["'x.png' cannot be read"], 3)
    return tiles


def test_tiles_come_back_as_they_were_memory_mapped(tmp_path):
    tiles = pack(tmp_path, [0] * 10 + [1] * 10, ["A", "B"])
    packed = read_packed(tmp_path)
    assert isinstance(packed.pixels, np.memmap)
    assert np.array_equal(packed.pixels, tiles)
    assert packed.slides.tolist() == [0] * 10 + [1] * 10
    assert (packed.names, packed.spec, packed.duplicates) == (("A", "B"), SPEC, 3)
    assert packed.skipped == ("'x.png' cannot be read",)


def test_any_program_reads_the_array(tmp_path):
    tiles = pack(tmp_path, [0] * 5, ["A"])
    assert np.array_equal(np.load(tmp_path / TILES), tiles)


def test_nothing_and_half_of_it_is_none(tmp_path):
    assert read_packed(tmp_path) is None
    pack(tmp_path, [0], ["A"])
    (tmp_path / FACTS).unlink()
    assert read_packed(tmp_path) is None


def break_off(folder):
    with tile_writer(folder, 16) as writer:
        writer.append(np.zeros((3, 16, 16, 3), np.uint8))
        raise RuntimeError


def test_a_fault_while_writing_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError):
        break_off(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_array_and_facts_of_different_runs_are_refused(tmp_path):
    pack(tmp_path, [0] * 5, ["A"])
    write_facts(tmp_path, SPEC, [0] * 6, ["A"], [], 0)
    with pytest.raises(InputError, match="holds 5 tiles"):
        read_packed(tmp_path)


def test_a_later_version_is_refused(tmp_path):
    pack(tmp_path, [0], ["A"])
    (tmp_path / FACTS).write_text(json.dumps({**json.loads((tmp_path / FACTS).read_text()), "version": 2}))
    with pytest.raises(InputError, match="version 2"):
        read_packed(tmp_path)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3])
def test_whole_slides_are_held_out(tmp_path, share):
    slides = np.repeat(np.arange(8), [5, 9, 3, 20, 8, 4, 6, 5])
    pack(tmp_path, slides, [f"S{i}" for i in range(8)])
    packed = read_packed(tmp_path)
    learn, held = packed.split(share, seed=1)
    assert len(held) >= share * len(packed)
    assert set(slides[learn]).isdisjoint(slides[held])
    assert sorted([*learn, *held]) == list(range(60))
    assert all(np.array_equal(a, b) for a, b in zip(packed.split(share, 1), (learn, held), strict=True))


def test_another_seed_holds_out_other_slides(tmp_path):
    slides = np.repeat(np.arange(30), 2)
    pack(tmp_path, slides, [f"S{i}" for i in range(30)])
    packed = read_packed(tmp_path)
    assert {tuple(packed.split(0.2, seed)[1]) for seed in range(5)} != {tuple(packed.split(0.2, 0)[1])}


def test_something_is_always_left_to_learn_from(tmp_path):
    pack(tmp_path, [0] * 2 + [1] * 98, ["small", "large"])
    for seed in range(6):
        learn, held = read_packed(tmp_path).split(0.5, seed)
        assert len(learn) > 0
        assert len(held) > 0


def test_of_one_slide_single_tiles_are_held_out(tmp_path):
    pack(tmp_path, [0] * 20, ["A"])
    learn, held = read_packed(tmp_path).split(0.25, seed=0)
    assert (len(learn), len(held)) == (15, 5)


def test_no_share_holds_out_nothing(tmp_path):
    pack(tmp_path, [0] * 20, ["A"])
    learn, held = read_packed(tmp_path).split(0.0, seed=0)
    assert (len(learn), len(held)) == (20, 0)


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / FACTS).write_text('{"version": 1, "names": ['),
        lambda folder: (folder / FACTS).write_text("[1]"),
        lambda folder: (folder / FACTS).write_text('{"version": 1}'),
        lambda folder: (folder / FACTS).write_text((folder / FACTS).read_text().replace('"patch_px": 16', '"px": 16')),
        lambda folder: (folder / TILES).write_bytes((folder / TILES).read_bytes()[:-100]),
        lambda folder: (folder / TILES).write_bytes(b""),
        lambda folder: (folder / TILES).write_bytes(b"no array at all"),
    ],
)
def test_damaged_files_are_one_sentence_that_names_them(tmp_path, damage):
    pack(tmp_path, [0, 0, 1], ["A", "B"])
    damage(tmp_path)
    with pytest.raises(InputError, match=r"are damaged: .") as caught:
        read_packed(tmp_path)
    assert str(tmp_path / TILES) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint == "remove both: they are packed again"


@pytest.mark.parametrize("slides", [[0], [0, 0, 1, 1, 1], [2, 0, 0, 2, 1], list(range(9))])
def test_slides_in_any_order_come_back(tmp_path, slides):
    pack(tmp_path, slides, [f"S{i}" for i in range(9)])
    packed = read_packed(tmp_path)
    assert packed.slides.tolist() == slides
    assert packed.slides.dtype == np.int32


def test_facts_of_many_tiles_stay_short(tmp_path):
    """A million tiles of one slide are one line of `tiles.json`."""
    write_facts(tmp_path, SPEC, np.repeat([0, 1], [1_000_000, 5]), ["A", "B"], [], 0)
    assert json.loads((tmp_path / FACTS).read_text())["slides"] == [[0, 1_000_000], [1, 5]]
    assert runs([]) == []
