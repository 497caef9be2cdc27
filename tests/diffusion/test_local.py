import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tests.diffusion.tiny import tiny_central, tiny_facts, tiny_local, tiny_modulation

from napari_c2lst.common.errors import InputError, MismatchError
from napari_c2lst.common.places import keep_place
from napari_c2lst.diffusion.local import LOCAL_FILE, LocalModel, find_local, find_source, load_local
from napari_c2lst.diffusion.modulation import Modulation, norm_channels
from napari_c2lst.diffusion.unet import build_noise_net, count_parameters


@pytest.mark.parametrize("null", ["learned", "central"])
def test_a_saved_model_comes_back_as_it_was(tmp_path: Path, null: str) -> None:
    central = tiny_central()
    model = LocalModel(tiny_modulation(central, null, learned=True), tiny_facts(central))
    file = model.save(tmp_path / "run")
    assert file == tmp_path / "run" / LOCAL_FILE
    for source in (file, tmp_path / "run"):
        back = load_local(source, central)
        assert back.facts == model.facts
        assert back.modulation.null_kind == null
        assert back.modulation.channels == model.modulation.channels
        state = model.modulation.state_dict()
        assert all(torch.equal(state[name], value) for name, value in back.modulation.state_dict().items())
        assert not any(p.requires_grad for p in back.modulation.parameters())
    assert load_local(file).content_hash.startswith("sha256:")


def test_the_hash_follows_the_content(tmp_path: Path) -> None:
    central = tiny_central()
    first = load_local(tiny_local(central).save(tmp_path / "a")).content_hash
    assert load_local(tiny_local(central).save(tmp_path / "b")).content_hash == first
    fresh = LocalModel(tiny_modulation(central), tiny_facts(central))
    assert load_local(fresh.save(tmp_path / "c")).content_hash != first


def test_saving_again_replaces_the_file(tmp_path: Path) -> None:
    central = tiny_central()
    tiny_local(central).save(tmp_path)
    changed = dataclasses.replace(tiny_local(central), facts=tiny_facts(central).model_copy(update={"slide": "S2"}))
    changed.save(tmp_path)
    assert load_local(tmp_path).facts.slide == "S2"
    assert [p.name for p in tmp_path.iterdir()] == [LOCAL_FILE]


def test_another_central_model_is_refused_with_both_hashes(tmp_path: Path) -> None:
    central, other = tiny_central(0), tiny_central(1, name="other")
    tiny_local(central).save(tmp_path)
    with pytest.raises(MismatchError) as caught:
        load_local(tmp_path, other)
    assert central.content_hash in caught.value.message
    assert other.content_hash in caught.value.message
    assert "--central" in caught.value.hint


def test_the_file_holds_the_modulation_and_no_central_weight(tmp_path: Path) -> None:
    central = tiny_central()
    file = tiny_local(central).save(tmp_path)
    numbers = count_parameters(tiny_modulation(central))
    assert numbers * 4 < file.stat().st_size < numbers * 4 + 12_000


def test_the_size_for_the_paper_network_is_a_few_megabytes(tmp_path: Path) -> None:
    net = build_noise_net(patch_px=64, stem=1, widths=(64, 128, 256, 512), blocks=2, attention_levels=1)
    modulation = Modulation(250, 128, norm_channels(net))
    central = tiny_central()
    file = LocalModel(modulation, tiny_facts(central)).save(tmp_path)
    assert 1e6 < file.stat().st_size < 20e6
    assert file.stat().st_size < 0.1 * 4 * count_parameters(net)


@pytest.mark.parametrize("make", ["pickle", "torch", "cut"])
def test_what_is_no_safetensors_is_refused_unopened(tmp_path: Path, make: str) -> None:
    file = tmp_path / LOCAL_FILE
    if make == "pickle":
        file.write_bytes(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00}\x94.")
    elif make == "torch":
        torch.save({"w": torch.zeros(2)}, file)
    else:
        tiny_local(tiny_central()).save(tmp_path)
        file.write_bytes(file.read_bytes()[:-500])
    with pytest.raises(InputError, match="not a safetensors file") as caught:
        load_local(tmp_path)
    assert "pickles are never opened" in caught.value.hint


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (None, "not a local model"),
        ({"c2lst": json.dumps({"version": 99})}, "has version 99"),
        ({"c2lst": "{not json"}, "is damaged"),
        ({"c2lst": "[1, 2]"}, "is damaged"),
        ({"c2lst": "null"}, "is damaged"),
        ({"c2lst": json.dumps({"version": 1})}, "damaged"),
        ({"c2lst": json.dumps({"version": 1, "facts": {}, "modulation": {}})}, "damaged"),
    ],
)
def test_foreign_and_newer_files_are_refused(tmp_path: Path, metadata: dict[str, str] | None, says: str) -> None:
    save_file({"w": torch.zeros(2)}, tmp_path / LOCAL_FILE, metadata=metadata)
    with pytest.raises(InputError) as caught:
        load_local(tmp_path)
    assert says in caught.value.message
    assert caught.value.hint


def test_a_missing_model_says_where_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no local model"):
        find_local(tmp_path / "nowhere")
    with pytest.raises(InputError, match="holds no local model") as caught:
        find_local(tmp_path)
    assert "--resume auto" in caught.value.hint


def local_in(folder: Path, source: str) -> Path:
    """A local model whose central model is said to be somewhere."""
    central = tiny_central()
    facts = tiny_facts(central).model_copy(update={"central_source": source})
    return dataclasses.replace(tiny_local(central), facts=facts).save(folder)


class TestWhereTheCentralModelIs:
    def test_a_folder_is_found_from_where_the_local_model_lies_now(self, tmp_path: Path) -> None:
        (tmp_path / "lung" / "central").mkdir(parents=True)
        file = local_in(tmp_path / "lung" / "runs" / "local", "../../central")
        facts = load_local(file).facts
        assert find_source(file, facts) == str(tmp_path / "lung" / "central")
        (tmp_path / "lung").rename(tmp_path / "moved")
        moved = tmp_path / "moved" / "runs" / "local"
        assert find_source(moved, facts) == str(tmp_path / "moved" / "central")

    @pytest.mark.parametrize("name", ["embedded", "lab/central-he"])
    def test_names_and_hub_ids_are_left_as_they_are(self, tmp_path: Path, name: str) -> None:
        file = local_in(tmp_path / "local", name)
        assert find_source(file, load_local(file).facts) == name

    def test_a_place_elsewhere_is_named_by_the_settings_of_the_run(self, tmp_path: Path) -> None:
        kept = keep_place(Path("/models/central"), Path("/scratch/x/run"))
        file = local_in(tmp_path / "run", kept)
        facts = load_local(file).facts
        with pytest.raises(InputError, match="is not known on this machine") as caught:
            find_source(file, facts)
        assert "--central" in caught.value.hint
        (tmp_path / "run" / "config.toml").write_text('kind = "adapt"\n[settings]\ncentral = "/models/central"\n')
        assert find_source(file, facts) == "/models/central"

    def test_the_settings_of_another_run_are_not_believed(self, tmp_path: Path) -> None:
        file = local_in(tmp_path / "run", keep_place(Path("/models/central"), Path("/scratch/x/run")))
        (tmp_path / "run" / "config.toml").write_text('kind = "adapt"\n[settings]\ncentral = "/models/other"\n')
        with pytest.raises(InputError, match="is not known"):
            find_source(file, load_local(file).facts)

    def test_a_place_beside_the_model_that_is_empty_now_is_named(self, tmp_path: Path) -> None:
        file = local_in(tmp_path / "runs" / "local", "../../central")
        with pytest.raises(InputError, match=r"'tiny' of the local model .* is no longer at") as caught:
            find_source(file, load_local(file).facts)
        assert f"'{tmp_path / 'central'}'" in caught.value.message  # whole, not as it is kept
        assert "--central" in caught.value.hint
        assert "--allow-download" not in caught.value.hint

    def test_a_whole_path_as_earlier_versions_kept_it(self, tmp_path: Path) -> None:
        file = local_in(tmp_path / "local", str(tmp_path / "central"))
        facts = load_local(file).facts
        with pytest.raises(InputError, match="is no longer at"):
            find_source(file, facts)
        (tmp_path / "central").mkdir()
        assert find_source(file, facts) == str(tmp_path / "central")


def rewritten(folder: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """A local model of which the record inside says something else about its weights."""
    file = tiny_local(tiny_central()).save(folder)
    with safe_open(file, framework="pt") as opened:
        head = json.loads(opened.metadata()["c2lst"])
        tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 (not a dict)
    change(head)
    save_file(tensors, file, metadata={"c2lst": json.dumps(head)})
    return file


@pytest.mark.parametrize(
    "change",
    [
        lambda head: head["modulation"].update(genes=7),
        lambda head: head["modulation"].update(genes="six"),
        lambda head: head["modulation"].update(embedding=-1),
        lambda head: head["modulation"].update(channels="ab"),
        lambda head: head["modulation"].update(channels=[1, 2]),
        lambda head: head["modulation"].update(channels={}),
        lambda head: head["modulation"].update(null="sometimes"),
        lambda head: head["modulation"].pop("null"),
        lambda head: head["facts"].pop("panel"),
        lambda head: head["facts"].update(training_ids=5),
    ],
)
def test_a_record_that_does_not_fit_the_weights_is_one_sentence(tmp_path: Path, change: Callable[..., Any]) -> None:
    file = rewritten(tmp_path, change)
    with pytest.raises(InputError, match=r"is damaged: .") as caught:
        load_local(file)
    assert str(file) in caught.value.message
    assert "\n" not in caught.value.message
    assert caught.value.hint == "copy it again"
