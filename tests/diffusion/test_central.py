import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from tests.diffusion.models import tiny_central

from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.diffusion import central as central_module
from napari_c2lst.diffusion.cards import write_card
from napari_c2lst.diffusion.central import (
    CentralModel,
    central_spec,
    find_central,
    is_hub_id,
    load_central,
    save_central,
)
from napari_c2lst.diffusion.schedule import VELOCITY
from napari_c2lst.diffusion.unet import NoiseNet
from napari_c2lst.slides.patches.cutting import PatchSpec


def test_a_central_model_comes_back_as_it_was(tmp_path):
    model = tiny_central()
    folder = save_central(model, tmp_path / "central")
    again = load_central(folder)
    assert again.content_hash == model.content_hash
    assert again.spec == model.spec
    assert (again.name, again.facts["licence"]) == ("tiny", "none")
    x, t = torch.randn(2, 3, 16, 16), torch.tensor([4, 500])
    assert torch.equal(again.net(x, t), model.net(x, t))


def test_a_model_of_velocity_comes_back_as_one(tmp_path):
    model = tiny_central(prediction=VELOCITY)
    again = load_central(save_central(model, tmp_path / "central"))
    x, t = torch.randn(2, 3, 16, 16), torch.tensor([4, 500])
    assert torch.equal(again.net(x, t), model.net(x, t))
    assert again.content_hash == model.content_hash != tiny_central().content_hash


def test_the_folder_is_diffusers_own(tmp_path):
    from diffusers import DDPMScheduler, UNet2DModel

    model = tiny_central()
    folder = save_central(model, tmp_path / "central")
    unet = UNet2DModel.from_pretrained(folder / "unet")
    assert unet.config.in_channels == 12
    assert DDPMScheduler.from_pretrained(folder / "scheduler").config.beta_schedule == "squaredcos_cap_v2"


def test_the_model_is_frozen():
    model = tiny_central()
    assert not any(p.requires_grad for p in model.net.parameters())
    assert not model.net.training


def test_half_precision_halves_the_file_and_stays_close(tmp_path):
    model = tiny_central()
    whole = save_central(model, tmp_path / "whole") / "unet" / "diffusion_pytorch_model.safetensors"
    half = save_central(model, tmp_path / "half", half=True) / "unet" / "diffusion_pytorch_model.safetensors"
    assert half.stat().st_size < 0.65 * whole.stat().st_size
    again = load_central(tmp_path / "half")
    for a, b in zip(again.net.parameters(), model.net.parameters(), strict=True):
        assert a.dtype == torch.float32
        assert torch.allclose(a, b, atol=1e-3)


def test_the_hash_follows_weights_and_specification():
    model = tiny_central()
    assert tiny_central().content_hash == model.content_hash
    assert tiny_central(seed=1).content_hash != model.content_hash
    assert tiny_central(patch_um=100.0).content_hash != model.content_hash


def test_the_specification_is_read_without_the_weights(tmp_path, monkeypatch):
    folder = save_central(tiny_central(patch_um=90.0), tmp_path / "central")
    (folder / central_module.WEIGHTS).unlink()
    assert central_spec(folder).patch_um == 90.0


def test_a_pretrain_run_stands_for_its_model(tmp_path):
    save_central(tiny_central(), tmp_path / "run" / "central")
    assert find_central(tmp_path / "run") == tmp_path / "run" / "central"


def test_a_network_of_other_pixels_is_refused():
    model = tiny_central()
    with pytest.raises(MismatchError, match="takes 16 px, the specification says 32 px"):
        CentralModel(model.net, model.schedule, PatchSpec(patch_px=32), "x")
    assert isinstance(model.net, NoiseNet)


@pytest.mark.parametrize(
    ("source", "text"),
    [("nowhere", "no central model"), ("some/where/deep", "no central model"), ("a/b", "no folder 'a/b'")],
)
def test_a_model_that_is_not_there(source, text):
    with pytest.raises(InputError, match=text):
        load_central(source)


def test_a_hub_id_is_only_fetched_when_allowed():
    with pytest.raises(InputError) as caught:
        load_central("centre/model")
    assert "--allow-download" in caught.value.hint


def test_a_hub_id_is_fetched_by_name_with_safetensors_only(tmp_path, monkeypatch):
    folder = save_central(tiny_central(), tmp_path / "hub")
    asked = {}

    def snapshot_download(hub_id, allow_patterns):
        asked.update(hub_id=hub_id, patterns=allow_patterns, silent=constants.HF_HUB_DISABLE_TELEMETRY)
        return str(folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", snapshot_download)
    assert load_central("centre/model", allow_download=True).content_hash == tiny_central().content_hash
    assert asked["hub_id"] == "centre/model"
    assert asked["silent"]
    assert not [p for p in asked["patterns"] if p.endswith((".bin", ".pt", ".ckpt"))]


def test_a_hub_that_cannot_be_reached_is_one_sentence(monkeypatch):
    def fail(hub_id, allow_patterns):
        raise OSError("no network\nlong trace")

    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    with pytest.raises(InputError, match="'centre/model' could not be fetched: no network / check"):
        find_central("centre/model", allow_download=True)


def test_another_folder_is_no_central_model(tmp_path):
    with pytest.raises(InputError, match="not a central model"):
        load_central(tmp_path)


def test_a_pickle_is_refused(tmp_path):
    folder = save_central(tiny_central(), tmp_path / "central")
    (folder / central_module.WEIGHTS).rename(folder / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(InputError, match="is a pickle"):
        load_central(folder)


def test_missing_and_broken_weights_are_named(tmp_path):
    folder = save_central(tiny_central(), tmp_path / "central")
    weights = folder / central_module.WEIGHTS
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InputError, match="cannot be read"):
        load_central(folder)
    weights.unlink()
    with pytest.raises(InputError, match="has no unet"):
        load_central(folder)


def test_a_newer_version_is_refused(tmp_path):
    folder = save_central(tiny_central(), tmp_path / "central")
    meta = json.loads((folder / "c2lst.json").read_text())
    (folder / "c2lst.json").write_text(json.dumps({**meta, "version": 9}))
    with pytest.raises(InputError, match="version 9"):
        load_central(folder)
    (folder / "c2lst.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read"):
        load_central(folder)


def test_a_model_never_replaces_another(tmp_path):
    save_central(tiny_central(), tmp_path / "central")
    with pytest.raises(InputError, match="is there already"):
        save_central(tiny_central(), tmp_path / "central")


def test_the_card_states_data_licence_and_hash(tmp_path):
    model = tiny_central()
    text = write_card(model, save_central(model, tmp_path / "central")).read_text()
    assert model.content_hash in text
    assert "112 x 112 um, 16 x 16 px (7.000 um/px)" in text
    assert "| licence | none |" in text


def written(tmp_path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """A tiny central model whose `c2lst.json` says something else."""
    folder = save_central(tiny_central(), tmp_path / "central")
    meta = json.loads((folder / "c2lst.json").read_text())
    (folder / "c2lst.json").write_text(json.dumps(change(meta)))
    return folder


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda meta: [1, 2], "cannot be read"),
        (lambda meta: "a word", "cannot be read"),
        (lambda meta: None, "cannot be read"),
        (lambda meta: {**meta, "stem": "two"}, "is damaged"),
        (lambda meta: {**meta, "stem": None}, "is damaged"),
        (lambda meta: {**meta, "stem": 4}, "a stem of 4 needs 48 channels"),
        (lambda meta: {**meta, "spec": {**meta["spec"], "patch_px": "many"}}, "is damaged: spec.patch_px"),
        (lambda meta: {**meta, "spec": 7}, "is damaged: spec"),
        (lambda meta: {**meta, "spec": {**meta["spec"], "patch_px": 32}}, "takes 16 px, the specification says 32 px"),
        (lambda meta: {**meta, "facts": 7}, "is damaged: "),
        (lambda meta: {**meta, "facts": "words"}, "is damaged: "),
        (lambda meta: {"version": 1, "stem": 2}, "lacks name, spec"),
    ],
)
def test_a_damaged_record_is_one_sentence(tmp_path: Path, change: Callable[..., Any], words: str) -> None:
    folder = written(tmp_path, change)
    with pytest.raises(InputError, match=words) as caught:
        load_central(folder)
    assert str(folder) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint == "copy the model again"


def test_the_specification_alone_is_refused_the_same_way(tmp_path: Path) -> None:
    folder = written(tmp_path, lambda meta: {**meta, "spec": {**meta["spec"], "patch_um": -1}})
    with pytest.raises(InputError, match=r"is damaged: spec.patch_um"):
        central_spec(folder)


def test_a_part_that_is_missing_is_not_looked_for_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From where it lies, a folder "central/scheduler" reads like a hub id: nothing may leave the machine."""
    asked: list[dict[str, Any]] = []

    def hub(_repo: str, **options: Any) -> str:
        asked.append(options)
        raise OSError("not here")

    save_central(tiny_central(), tmp_path / "central")
    shutil.rmtree(tmp_path / "central" / "scheduler")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("diffusers.configuration_utils.hf_hub_download", hub)
    with pytest.raises(InputError, match="central model 'central' cannot be read") as caught:
        load_central("central")
    assert all(options["local_files_only"] for options in asked)
    assert caught.value.hint == "copy it again, or choose another"


@pytest.mark.parametrize("source", ["./model", "../model", "/model", "model/", "~/model", "runs/here/central", "a b/c"])
def test_a_path_is_no_hub_id(source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.snapshot_download", pytest.fail)
    with pytest.raises(InputError, match="there is no central model") as caught:
        find_central(source, allow_download=True)
    assert "--allow-download" not in caught.value.hint


@pytest.mark.parametrize("source", ["centre/model", "my-lab/he_v1.0", "A/b"])
def test_a_hub_id_is_one(source: str) -> None:
    assert is_hub_id(source)


def test_a_folder_goes_before_a_hub_id_of_the_same_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_central(tiny_central(), tmp_path / "centre" / "model")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.snapshot_download", pytest.fail)
    assert find_central("centre/model", allow_download=True) == Path("centre/model")


def test_a_hub_repository_of_something_else_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(tmp_path))
    with pytest.raises(InputError, match=r"'centre/model' is not a central model: it has no c2lst\.json"):
        find_central("centre/model", allow_download=True)
