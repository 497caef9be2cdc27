"""Records of slides: written whole, read back, and when a task counts as done."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from napari_c2lst.cohorts.state import (
    Record,
    bad_tiles,
    fingerprint,
    read_record,
    record_file,
    still_done,
    write_record,
)

DONE = Record("a", "a.zarr", "predict", "finished", "sha256:1", seconds=3.0, peak_mb=12.5, result={"n": 1})


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    write_record(tmp_path, DONE)
    assert read_record(tmp_path, "a", "predict") == DONE
    assert read_record(tmp_path, "a", "cells") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', '{"version": 1, "name": "a"}'])
def test_a_damaged_record_is_none(tmp_path: Path, text: str) -> None:
    write_record(tmp_path, DONE)
    record_file(tmp_path, "a", "predict").write_text(text)
    assert read_record(tmp_path, "a", "predict") is None


def test_a_record_of_a_later_version_is_none(tmp_path: Path) -> None:
    write_record(tmp_path, DONE)
    file = record_file(tmp_path, "a", "predict")
    file.write_text(json.dumps({**json.loads(file.read_text()), "version": 2}))
    assert read_record(tmp_path, "a", "predict") is None


def test_done_means_finished_with_the_same_settings() -> None:
    assert still_done(DONE, "sha256:1")
    assert not still_done(DONE, "sha256:2")
    assert not still_done(replace(DONE, state="failed"), "sha256:1")
    assert not still_done(replace(DONE, state="stopped"), "sha256:1")
    assert not still_done(None, "sha256:1")


def test_done_means_that_what_was_written_is_there(tmp_path: Path) -> None:
    store = tmp_path / "a.zarr"
    record = replace(DONE, result={"store": str(store), "elements": ["t", "s"]})
    (store / "tables" / "t").mkdir(parents=True)
    assert not still_done(record, "sha256:1")
    (store / "shapes" / "s").mkdir(parents=True)
    assert still_done(record, "sha256:1")


def test_the_fingerprint_knows_settings_and_the_content_of_models(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "predictor.safetensors").write_bytes(b"weights")
    settings = {"predictor": str(run), "where": "grid"}
    first = fingerprint(settings)
    assert first == fingerprint(dict(reversed(settings.items())))
    assert first != fingerprint({**settings, "where": "spots"})
    (run / "notes.txt").write_text("nothing to do with the model")
    assert first == fingerprint(settings)
    (run / "predictor.safetensors").write_bytes(b"other weights")
    assert first != fingerprint(settings)


def test_the_fingerprint_of_a_single_file_of_weights(tmp_path: Path) -> None:
    file = tmp_path / "hovernet.tar"
    file.write_bytes(b"1")
    first = fingerprint({"weights": str(file)})
    file.write_bytes(b"2")
    assert fingerprint({"weights": str(file)}) != first
    assert fingerprint({"weights": "a name that is no path"}) != first


def test_left_out_tiles_are_not_done() -> None:
    """The image may be put right: the same command tries again."""
    partly = replace(DONE, task="cells", result={"bad_tiles": 2, "tiles": 9})
    assert bad_tiles(partly) == 2
    assert not still_done(partly, "sha256:1")
    assert still_done(replace(partly, result={"bad_tiles": 0}), "sha256:1")
    assert bad_tiles(DONE) == bad_tiles(replace(partly, state="failed")) == 0
