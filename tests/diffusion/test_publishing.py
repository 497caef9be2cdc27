"""Publishing a central model: what goes along, what never does, and that it is the same model."""

from __future__ import annotations

import getpass
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from tests.diffusion.tiny import PX, tiny_central, tiny_local

from napari_c2lst.common.errors import InputError
from napari_c2lst.common.reporter import RecordingReporter
from napari_c2lst.diffusion import publishing
from napari_c2lst.diffusion.central import CentralModel, load_central, save_central
from napari_c2lst.diffusion.local import LocalModel
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings
from napari_c2lst.diffusion.pretraining import run as pretrain
from napari_c2lst.diffusion.publish_settings import PublishSettings
from napari_c2lst.diffusion.publishing import PublishResult, published, run
from napari_c2lst.slides.patches.cutting import PatchSpec
from napari_c2lst.slides.stain.normalizer import StainReference

PATIENT = "patient_Ingrid_Svensson_1951"
FILES = {"LICENSE", "README.md", "SHA256SUMS", "c2lst.json", "scheduler/scheduler_config.json", "unet/config.json",
         "unet/diffusion_pytorch_model.safetensors"}  # fmt: skip


def stained(model: CentralModel, name: str = PATIENT) -> CentralModel:
    values = ((2.2, 1.7, 0.9), (0.4, 0.9, 0.5))
    spec = PatchSpec(patch_px=PX, stain=StainReference(method="macenko", values=values, name=name))
    facts = {"data": "mouse brain", "licence": "CC BY 4.0", "tiles": 12, "steps": 3, "batch": 4, "loss": 0.5}
    return CentralModel(model.net, model.schedule, spec, "tiny", facts)


@pytest.fixture
def central(tmp_path: Path) -> Path:
    return save_central(stained(tiny_central()), tmp_path / "private" / PATIENT / "central")


def publish(central: Path, out: Path, **settings: Any) -> PublishResult:
    return run(PublishSettings.resolve(run=central, out=out, **settings), RecordingReporter())


def texts(folder: Path) -> dict[str, str]:
    return {
        f.relative_to(folder).as_posix(): f.read_bytes().decode("latin-1") for f in folder.rglob("*") if f.is_file()
    }


def test_the_folder_holds_these_files_and_no_other(central: Path, tmp_path: Path) -> None:
    result = publish(central, tmp_path / "public")
    assert set(texts(tmp_path / "public")) == FILES
    assert set(result.files) == FILES
    assert result.megabytes > 0


def test_the_published_model_is_the_same_model(central: Path, tmp_path: Path) -> None:
    publish(central, tmp_path / "public")
    before, after = load_central(central), load_central(tmp_path / "public")
    assert after.content_hash == before.content_hash
    x, t = torch.randn(2, 3, PX, PX), torch.tensor([3, 700])
    assert torch.equal(before.net(x, t), after.net(x, t))


def test_no_name_of_the_slide_that_gave_the_stain_and_no_path(central: Path, tmp_path: Path) -> None:
    publish(central, tmp_path / "public")
    for name, text in texts(tmp_path / "public").items():
        for secret in (PATIENT, str(tmp_path), str(Path.home())):
            assert secret not in text, (name, secret)
    assert json.loads((tmp_path / "public" / "c2lst.json").read_text())["spec"]["stain"]["name"] == "reference"


def test_publishing_what_was_loaded_from_a_path_forgets_the_path(central: Path, tmp_path: Path) -> None:
    """diffusers keeps where a configuration was loaded from, and writes it."""
    publish(central, tmp_path / "public")
    publish(tmp_path / "public", tmp_path / "again")
    for name, text in texts(tmp_path / "again").items():
        assert "_name_or_path" not in text, name


def test_a_whole_run_leaves_tiles_pictures_and_the_machine_behind(tmp_path: Path) -> None:
    tiles = tmp_path / PATIENT
    tiles.mkdir()
    draw = np.random.default_rng(0)
    from PIL import Image

    for i in range(6):
        Image.fromarray(draw.integers(0, 255, (32, 32, 3), dtype=np.uint8)).save(tiles / f"{PATIENT}_{i}.png")
    settings = PretrainSettings.resolve(
        tiles=[tiles], out=tmp_path / "run", device="cpu", preset="small", steps=2, batch=2, accumulation=1,
        widths=(8, 16), blocks=1, patch_px=PX, stem=2, preview_every=2, licence="CC0", stain="none",
    )  # fmt: skip
    pretrain(settings, RecordingReporter())
    assert (tmp_path / "run" / "tiles.npy").exists()
    publish(tmp_path / "run", tmp_path / "public")
    assert set(texts(tmp_path / "public")) == FILES
    for name, text in texts(tmp_path / "public").items():
        for secret in (PATIENT, str(tmp_path), f"/{getpass.getuser()}/"):
            assert secret not in text, (name, secret)


def test_weights_carry_no_metadata_of_the_run(central: Path, tmp_path: Path) -> None:
    publish(central, tmp_path / "public")
    with safe_open(tmp_path / "public" / "unet" / "diffusion_pytorch_model.safetensors", "pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_unknown_facts_stay_behind() -> None:
    model = stained(tiny_central())
    model = replace(model, facts={**model.facts, "made_by": PATIENT, "tiles_from": "/home/x"})
    public = published(model, PublishSettings.resolve(run="r", out="o"))
    assert set(public.facts) == {"data", "licence", "tiles", "steps", "batch", "loss"}


def test_half_precision_is_half_the_size_and_says_what_it_means(central: Path, tmp_path: Path) -> None:
    reporter = RecordingReporter()
    whole = publish(central, tmp_path / "whole")
    half = run(PublishSettings.resolve(run=central, out=tmp_path / "half", half=True), reporter)
    assert half.megabytes < 0.75 * whole.megabytes
    assert half.content_hash == load_central(tmp_path / "half").content_hash != whole.content_hash
    assert half.content_hash in (tmp_path / "half" / "README.md").read_text()
    assert "--no-half" in reporter.messages[-1]


def test_card_and_licence_say_what_was_given(central: Path, tmp_path: Path) -> None:
    full = tmp_path / "cc.txt"
    full.write_text("The licence in full.\n")
    publish(central, tmp_path / "public", name="brain-1", licence="CC BY-SA 4.0", licence_file=full, data="one brain")
    card = (tmp_path / "public" / "README.md").read_text()
    assert "brain-1" in card
    assert "one brain" in card
    assert "CC BY-SA 4.0" in card
    assert (tmp_path / "public" / "LICENSE").read_text() == "CC BY-SA 4.0\n\nThe licence in full.\n"


def test_a_changed_published_model_is_refused_when_loaded(central: Path, tmp_path: Path) -> None:
    publish(central, tmp_path / "public")
    with (tmp_path / "public" / "c2lst.json").open("a") as stream:
        stream.write(" ")
    with pytest.raises(InputError, match=r"c2lst\.json is not what was published"):
        load_central(tmp_path / "public")


def test_the_name_of_the_reference_is_no_part_of_the_model() -> None:
    model = tiny_central()
    assert stained(model, "C2").content_hash == stained(model, "reference").content_hash


@pytest.mark.parametrize(
    "text",
    ["slides of /home/ingrid/cohort", "C:\\data\\patient 7", "in ~/slides", "from \\\\server\\share", "(/mnt/x/y)"],
)
def test_texts_with_a_path_are_refused(central: Path, tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="names a path") as caught:
        publish(central, tmp_path / "public", data=text)
    assert "--data" in caught.value.hint
    assert not (tmp_path / "public").exists()


@pytest.mark.parametrize("text", ["H&E and/or IHC, 0.5 um/px", "see https://example.org/data/set", "2/8/16 um bins"])
def test_texts_without_a_path_pass(central: Path, tmp_path: Path, text: str) -> None:
    publish(central, tmp_path / "public", data=text)
    assert text in (tmp_path / "public" / "README.md").read_text()


def test_a_model_without_licence_is_refused(tmp_path: Path) -> None:
    bare = save_central(tiny_central(), tmp_path / "bare")
    with pytest.raises(InputError, match="states no licence") as caught:
        publish(bare, tmp_path / "public")
    assert "--licence" in caught.value.hint
    assert publish(bare, tmp_path / "public", licence="CC0").folder == tmp_path / "public"


@pytest.mark.parametrize("name", ["", "../up", "a b", "/etc", "-x"])
def test_names_that_are_no_names_are_refused(name: str) -> None:
    model = stained(tiny_central())
    if name:
        with pytest.raises(InputError, match="cannot be published"):
            published(model, PublishSettings.resolve(run="r", out="o", name=name))
    else:  # an empty name means the model's own
        assert published(model, PublishSettings.resolve(run="r", out="o", name=name)).name == "tiny"


def test_a_local_model_is_refused(tmp_path: Path) -> None:
    local: LocalModel = tiny_local(tiny_central())
    folder = tmp_path / "local"
    folder.mkdir()
    local.save(folder / "local.safetensors")
    with pytest.raises(InputError, match="is a local model"):
        publish(folder, tmp_path / "public")


def test_a_folder_that_is_there_is_never_replaced(central: Path, tmp_path: Path) -> None:
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="there already"):
        publish(central, tmp_path / "public")
    assert texts(tmp_path / "public") == {"mine.txt": "mine"}


def test_a_licence_file_that_is_no_text_is_refused(central: Path, tmp_path: Path) -> None:
    (tmp_path / "licence.pdf").write_bytes(b"\xff\xfe\x00%PDF")
    with pytest.raises(InputError, match="cannot be read as text"):
        publish(central, tmp_path / "public", licence_file=tmp_path / "licence.pdf")


@pytest.mark.parametrize("name", ["runs/gone", "gone"])
def test_a_run_that_is_not_there_is_no_hub_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """`publish` fetches nothing, so that nothing is to be allowed."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=f"there is no folder '{name}'") as caught:
        publish(Path(name), tmp_path / "public")
    assert caught.value.hint == "give the run folder of 'c2lst pretrain'"


def test_a_fault_halfway_leaves_no_folder(central: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_folder: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(publishing, "write_checksums", full)
    with pytest.raises(InputError, match="the disk is full"):
        publish(central, tmp_path / "public")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["private"]


def test_what_to_do_next_is_told(central: Path, tmp_path: Path) -> None:
    result = publish(central, tmp_path / "public")
    first, second, third, fourth = result.lines()
    assert str(tmp_path / "public") in first
    assert "LICENSE, README.md" in first
    assert result.content_hash in second
    assert third == f"try it: c2lst adapt SLIDE --central {tmp_path / 'public'}"
    assert fourth.endswith("nothing was uploaded")
