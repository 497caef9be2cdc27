"""Packing that is stopped or killed goes on, and gives what it gives in one go."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings
from napari_c2lst.diffusion.tiles import packing
from napari_c2lst.diffusion.tiles import unfinished as unfinished_module
from napari_c2lst.diffusion.tiles.packed import FACTS, HEADER, TILES
from napari_c2lst.diffusion.tiles.packing import pack_tiles
from napari_c2lst.diffusion.tiles.unfinished import NOTES, PART, UnfinishedTiles, unfinished_tiles

PX = 16
BASIS = {"a": 1, "pair": (1, 2)}


def tiles(count, seed=0):
    return np.random.default_rng(seed).integers(0, 255, (count, PX, PX, 3), dtype=np.uint8)


def test_what_was_kept_is_there_again_and_what_came_after_is_not(tmp_path):
    first = UnfinishedTiles(tmp_path, PX, BASIS)
    assert first.notes == {}
    first.append(tiles(5))
    first.keep({"parts": 1})
    first.append(tiles(3, seed=1))
    first.close()  # as after a kill: the last three were never kept
    again = UnfinishedTiles(tmp_path, PX, BASIS)
    assert again.notes == {"parts": 1}
    np.testing.assert_array_equal(np.concatenate(list(again.tiles())), tiles(5))
    again.append(tiles(2, seed=2))
    np.testing.assert_array_equal(np.load(again.whole()), np.concatenate([tiles(5), tiles(2, seed=2)]))


@pytest.mark.parametrize(
    "notes",
    [
        "",
        "{}",
        "[]",
        '{"basis": {"a": 1, "pair": [1, 2]}, "count": 9, "notes": {}}',
        '{"basis": {"a": 1, "pair": [1, 2]}, "count": 0}',
        '{"basis": {"a": 1, "pair": [1, 2]}, "count": 0, "notes": null}',
    ],
)
def test_notes_that_are_damaged_or_of_more_tiles_than_there_are_start_anew(tmp_path, notes):
    (tmp_path / NOTES).write_text(notes)
    (tmp_path / PART).write_bytes(b"x" * HEADER)
    unfinished = UnfinishedTiles(tmp_path, PX, BASIS)
    unfinished.append(tiles(2))
    np.testing.assert_array_equal(np.load(unfinished.whole()), tiles(2))


def test_tiles_of_another_basis_are_thrown_away(tmp_path):
    first = UnfinishedTiles(tmp_path, PX, BASIS)
    first.append(tiles(5))
    first.keep({"parts": 1})
    first.close()
    other = UnfinishedTiles(tmp_path, PX, {**BASIS, "a": 2})
    assert (other.notes, other.count) == ({}, 0)
    other.close()


def pack_and_raise(folder, error):
    with unfinished_tiles(folder, PX, BASIS) as unfinished:
        unfinished.append(tiles(2))
        unfinished.keep({})
        raise error


@pytest.mark.parametrize(
    ("error", "left"), [(Stopped("stop"), True), (KeyboardInterrupt(), True), (OSError(28, "full"), False)]
)
def test_a_stop_keeps_what_an_error_removes(tmp_path, error, left):
    with pytest.raises((Stopped, KeyboardInterrupt, InputError)):
        pack_and_raise(tmp_path, error)
    assert [(tmp_path / name).exists() for name in (PART, NOTES)] == [left, left]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """23 pictures, some of them the same, one broken."""
    folder = tmp_path_factory.mktemp("many") / "tiles"
    folder.mkdir()
    for i, tile in enumerate(tiles(23)):
        Image.fromarray(tile if i % 6 else tiles(1)[0]).save(folder / f"{i:02}.png")
    (folder / "05.png").write_bytes(b"no picture")
    return folder


def settings(folder: Path, out: Path) -> PretrainSettings:
    values = {"preset": "small", "device": "cpu", "patch_px": PX, "stain": "none", "workers": 1}
    return PretrainSettings.resolve(tiles=(folder,), out=out, **values)


def both_files(folder):
    return (folder / TILES).read_bytes(), json.loads((folder / FACTS).read_text())


@pytest.fixture
def whole(folder, tmp_path, monkeypatch):
    """What packing in one go gives."""
    monkeypatch.setattr(packing, "_BATCH", 4)
    pack_tiles(settings(folder, tmp_path / "whole"), tmp_path / "whole", RecordingReporter())
    return both_files(tmp_path / "whole")


def test_stopped_and_gone_on_is_the_same_as_in_one_go(folder, tmp_path, whole):
    run = tmp_path / "run"
    with pytest.raises(Stopped):
        pack_tiles(settings(folder, run), run, RecordingReporter(stop_after=3))
    reporter = RecordingReporter()
    packed = pack_tiles(settings(folder, run), run, reporter)
    assert any(message.startswith("going on after") for message in reporter.messages)
    assert both_files(run) == whole
    assert packed.duplicates == 3
    assert len(packed.skipped) == 1
    assert sorted(file.name for file in run.iterdir()) == [FACTS, TILES]


def test_other_settings_pack_from_the_beginning(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "_BATCH", 4)
    run = tmp_path / "run"
    with pytest.raises(Stopped):
        pack_tiles(settings(folder, run), run, RecordingReporter(stop_after=3))
    reporter = RecordingReporter()
    packed = pack_tiles(settings(folder, run).model_copy(update={"patch_um": 56.0}), run, reporter)
    assert not any(message.startswith("going on") for message in reporter.messages)
    assert packed.spec.patch_um == 56.0


def test_a_kill_between_the_two_files_is_made_good(folder, tmp_path, whole, monkeypatch):
    run = tmp_path / "run"

    def killed(*_):
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", killed)
        with pytest.raises(SystemExit):
            pack_tiles(settings(folder, run), run, RecordingReporter())
    assert not (run / TILES).exists()
    pack_tiles(settings(folder, run), run, RecordingReporter())
    assert both_files(run) == whole


_CHILD = """
import sys, time
from pathlib import Path
from napari_c2lst.common.reporter import Reporter
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings
from napari_c2lst.diffusion.tiles import packing

class Waiting(Reporter):
    def progress(self, done, total, what=""):
        if done > 10:
            print("packed", done, flush=True)
            time.sleep(600)

packing._BATCH = 4
folder, out = map(Path, sys.argv[1:])
settings = PretrainSettings.resolve(
    tiles=(folder,), out=out, preset="small", device="cpu", patch_px=16, stain="none", workers=1
)
packing.pack_tiles(settings, out, Waiting())
"""


def test_killed_and_started_again_is_the_same_as_in_one_go(folder, tmp_path, whole):
    run = tmp_path / "run"
    child = subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(folder), str(run)], stdout=subprocess.PIPE, text=True, bufsize=1
    )
    with child:
        assert child.stdout.readline().startswith("packed")
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
    assert not (run / TILES).exists()
    reporter = RecordingReporter()
    pack_tiles(settings(folder, run), run, reporter)
    assert "going on after 8 of 22 tiles" in reporter.messages
    assert both_files(run) == whole


def test_reading_what_is_there_does_not_move_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(unfinished_module, "_BATCH", 2)
    unfinished = UnfinishedTiles(tmp_path, PX, BASIS)
    unfinished.append(tiles(5))
    assert [len(part) for part in unfinished.tiles()] == [2, 2, 1]
    unfinished.append(tiles(2, seed=1))
    assert unfinished.count == 7
    np.testing.assert_array_equal(np.load(unfinished.whole()), np.concatenate([tiles(5), tiles(2, seed=1)]))


def test_parts_without_a_tile_are_remembered_as_well(tmp_path):
    """Notes of parts whose images could not be read: they are not read again."""
    first = UnfinishedTiles(tmp_path, PX, BASIS)
    first.keep({"parts": 3})
    first.close()
    again = UnfinishedTiles(tmp_path, PX, BASIS)
    assert (again.notes, again.count) == ({"parts": 3}, 0)
    again.append(tiles(1))
    np.testing.assert_array_equal(np.load(again.whole()), tiles(1))


def test_a_full_disk_is_one_sentence_with_the_next_step(tmp_path):
    with pytest.raises(InputError, match=r"the disk is full: .* was not written") as caught:
        pack_and_raise(tmp_path, OSError(28, "No space left on device"))
    assert "then run it again" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
