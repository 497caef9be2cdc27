"""`c2lst train-cells` as a user runs it: a real process, real files in all three layouts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat
from tests.cells.training.nuclei import disc_folder, disc_image

from napari_c2lst.cells.weights import load_hovernet

QUICK = (
    *("--preset", "small", "--device", "cpu", "--precision", "fp32", "--width", "0.0625"),
    *("--patch-px", "104", "--batch", "2,2", "--parts", "1"),
)


def command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "napari_c2lst.cli.main", "train-cells", *map(str, words), *QUICK]


def call(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*words), capture_output=True, text=True, timeout=600)


def pannuke(folder: Path, seeds: tuple[int, ...]) -> Path:
    """A fold as PanNuke is given away: discs of type 1 in the first channel, those of type 2 in the second."""
    images, masks = np.zeros((len(seeds), 256, 256, 3)), np.zeros((len(seeds), 256, 256, 6))
    for row, seed in enumerate(seeds):
        nuclei = disc_image(256, 30, seed)
        assert nuclei.types is not None
        images[row] = nuclei.image
        for kind in (1, 2):
            masks[row, ..., kind - 1] = np.where(nuclei.types == kind, nuclei.instances, 0)
        masks[row, ..., 5] = nuclei.instances == 0
    for name, array in (("images", images), ("masks", masks)):
        place = folder / name / "fold"
        place.mkdir(parents=True)
        np.save(place / f"{name}.npy", array)
    return folder


def mat_folder(folder: Path) -> Path:
    for split, seed in (("Train", 0), ("Test", 50)):
        nuclei = disc_image(120, seed=seed)
        for name in ("Images", "Labels"):
            (folder / split / name).mkdir(parents=True)
        Image.fromarray(nuclei.image).save(folder / split / "Images" / f"{split}_1.png")
        savemat(folder / split / "Labels" / f"{split}_1.mat", {"inst_map": nuclei.instances, "type_map": nuclei.types})
    return folder


def test_folders_of_png(tmp_path: Path) -> None:
    done = call(disc_folder(tmp_path / "data", 1, 1), "--out", tmp_path / "run", "--epochs", "0,1", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["steps"] == 2
    assert result["scores"]["images"] == 1
    assert load_hovernet(tmp_path / "run").facts.nr_types == 3


def test_hovernets_mat_files_and_what_is_said(tmp_path: Path) -> None:
    done = call(mat_folder(tmp_path / "data"), "--out", tmp_path / "run", "--epochs", "0,1", "--types", "small,large")
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    for part in ("Dice 0.853, AJI 0.571", "of types: small", "scores on 1 images", "c2lst cells SLIDE --weights"):
        assert part in said
    assert load_hovernet(tmp_path / "run").facts.type_names == ("small", "large")


def test_folds_of_pannuke(tmp_path: Path) -> None:
    first, second = pannuke(tmp_path / "Fold 1", (0,)), pannuke(tmp_path / "Fold 2", (1,))
    done = call(first, "--test", second, "--out", tmp_path / "run", "--epochs", "0,1", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["scores"]["images"] == 1


def test_a_folder_of_something_else_is_refused_with_a_hint(tmp_path: Path) -> None:
    done = call(tmp_path, "--out", tmp_path / "run")
    assert done.returncode == 2
    assert "none of the layouts" in done.stderr
    assert "hint: images/ with inst/" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_polite_stop_and_the_same_command_again(tmp_path: Path) -> None:
    words = (disc_folder(tmp_path / "data", 1, 0), "--out", tmp_path / "run", "--epochs", "0,3")
    process = subprocess.Popen(
        [*command(*words), "--events", "json"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if '"metrics"' in line:
            process.send_signal(signal.SIGTERM)
            break
    process.stdout.read()
    assert process.wait(600) == 130
    assert list((tmp_path / "run" / "checkpoints").glob("step_*"))
    again = call(*words)
    assert again.returncode == 0, again.stderr
    assert "going on after step" in again.stdout + again.stderr
    assert (tmp_path / "run" / "hovernet.safetensors").is_file()
