"""Weights from every kind of file, and what is said of those that do not fit."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from napari_c2lst.cells.facts import CONSEP_TYPES, FACTS_KEY, PANNUKE_TYPES, CellFacts, read_facts
from napari_c2lst.cells.fetching import HUB_FILE, HUB_ID
from napari_c2lst.cells.network import HoVerNet
from napari_c2lst.cells.weights import find_weights, load_hovernet, save_hovernet
from napari_c2lst.common.errors import InputError, MismatchError

WIDTH = 1 / 16


@pytest.fixture(scope="module")
def net() -> HoVerNet:
    torch.manual_seed(1)
    return HoVerNet(nr_types=6, width=WIDTH).eval()


def maps(net: HoVerNet) -> dict[str, Tensor]:
    with torch.inference_mode():
        return net(torch.full((1, 3, 104, 104), 128.0))  # type: ignore[no-any-return]


def same(one: HoVerNet, other: HoVerNet) -> bool:
    a, b = maps(one), maps(other)
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def without_counters(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}


@pytest.mark.parametrize(
    "wrap",
    [
        lambda state: {"desc": state},  # official .tar
        lambda state: {"desc": {f"module.{name}": value for name, value in state.items()}},  # trained in parallel
        lambda state: {"desc": without_counters(state)},  # converted from TensorFlow
        lambda state: state,  # TIAToolbox
    ],
    ids=["official", "module", "tensorflow", "tiatoolbox"],
)
@pytest.mark.parametrize("name", ["weights.tar", "weights.pth"])
def test_checkpoints_of_others(tmp_path: Path, net: HoVerNet, wrap: Any, name: str) -> None:
    torch.save(wrap(net.state_dict()), tmp_path / name)
    loaded = load_hovernet(tmp_path / name)
    assert same(loaded.net, net)
    assert (loaded.facts.mode, loaded.facts.nr_types, loaded.facts.width) == ("fast", 6, WIDTH)
    assert loaded.facts.types == PANNUKE_TYPES
    assert "CC BY-NC-SA 4.0" in loaded.facts.notice
    assert loaded.content_hash.startswith("sha256:")
    assert not any(p.requires_grad for p in loaded.net.parameters())
    assert not loaded.net.training


def test_official_state_dict_of_full_width_loads_strictly(tmp_path: Path, shared: Path) -> None:
    lines = (shared.parent / "reference" / "hovernet_fast_state_dict_keys.txt").read_text().splitlines()
    state: dict[str, Tensor] = {}
    for name, shape in (line.split("\t") for line in lines if line):
        size = tuple(int(n) for n in shape.strip("()").split(",") if n.strip())
        state[name] = torch.zeros((), dtype=torch.long) if not size else torch.zeros(1).expand(size)
    torch.save({"desc": state}, tmp_path / "hovernet_fast_pannuke_type_tf2pytorch.tar")
    loaded = load_hovernet(tmp_path / "hovernet_fast_pannuke_type_tf2pytorch.tar")
    assert loaded.facts.width == 1.0
    assert list(loaded.net.state_dict()) == list(state)


def test_our_files_keep_their_facts(tmp_path: Path, net: HoVerNet) -> None:
    facts = CellFacts(
        mode="fast", nr_types=6, width=WIDTH, types=PANNUKE_TYPES, mpp=0.5, name="narrow", notice="research use"
    )
    file = save_hovernet(net, facts, tmp_path / "run" / "hovernet.safetensors")
    assert load_hovernet(file).facts == facts == read_facts(file)
    assert same(load_hovernet(tmp_path / "run").net, net)


def test_half_precision_files_are_half_as_large_and_widened(tmp_path: Path, net: HoVerNet) -> None:
    facts = CellFacts(mode="fast", nr_types=6, width=WIDTH, types=PANNUKE_TYPES)
    whole = save_hovernet(net, facts, tmp_path / "whole.safetensors")
    half = save_hovernet(net, facts, tmp_path / "half.safetensors", half=True)
    assert half.stat().st_size < 0.7 * whole.stat().st_size
    loaded = load_hovernet(half).net
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    torch.testing.assert_close(maps(loaded)["tp"], maps(net)["tp"], atol=0.05, rtol=0.05)


def test_facts_of_another_network_are_not_written(tmp_path: Path, net: HoVerNet) -> None:
    with pytest.raises(ValueError, match="another network"):
        save_hovernet(net, CellFacts(mode="original", width=WIDTH), tmp_path / "x.safetensors")
    assert not list(tmp_path.iterdir())


def test_names_of_types_come_from_a_type_info(tmp_path: Path, net: HoVerNet) -> None:
    torch.save(net.state_dict(), tmp_path / "w.pth")
    info = tmp_path / "type_info.json"
    info.write_text(json.dumps({str(i): [f"kind {i}", [i, i, i]] for i in range(6)}))
    assert load_hovernet(tmp_path / "w.pth", type_info=info).facts.type_names[0] == "kind 1"
    info.write_text(json.dumps({str(i): [t.name, list(t.colour)] for i, t in enumerate(CONSEP_TYPES)}))
    with pytest.raises(MismatchError, match=r"5 types are named \(background.*6 types with background"):
        load_hovernet(tmp_path / "w.pth", type_info=info)


def test_other_numbers_of_types_are_numbered(tmp_path: Path) -> None:
    torch.save({"desc": HoVerNet(nr_types=3, width=WIDTH).state_dict()}, tmp_path / "w.tar")
    torch.save({"desc": HoVerNet("original", width=WIDTH).state_dict()}, tmp_path / "o.tar")
    assert load_hovernet(tmp_path / "w.tar").facts.type_names == ("type 1", "type 2")
    plain = load_hovernet(tmp_path / "o.tar").facts
    assert (plain.mode, plain.nr_types, plain.notice) == ("original", None, "")


def test_another_mode_or_other_types_than_wanted(tmp_path: Path, net: HoVerNet) -> None:
    torch.save(net.state_dict(), tmp_path / "w.pth")
    with pytest.raises(MismatchError, match="of mode 'fast', not 'original'"):
        load_hovernet(tmp_path / "w.pth", mode="original")
    with pytest.raises(MismatchError, match="6 types with background, not 5"):
        load_hovernet(tmp_path / "w.pth", nr_types=5)


def test_wrong_shapes_say_which(tmp_path: Path, net: HoVerNet) -> None:
    state = dict(net.state_dict())
    state["d2.units.1.conv2.weight"] = torch.zeros(16, 16, 5, 5)
    del state["decoder.hv.u0.conv.bias"]
    state["decoder.ls.u0.conv.bias"] = torch.zeros(2)
    torch.save({"desc": state}, tmp_path / "w.tar")
    with pytest.raises(MismatchError) as caught:
        load_hovernet(tmp_path / "w.tar")
    assert "d2.units.1.conv2.weight is (16, 16, 5, 5), not (16, 16, 3, 3)" in caught.value.message
    assert "missing: decoder.hv.u0.conv.bias" in caught.value.message
    assert "not of this network: decoder.ls.u0.conv.bias" in caught.value.message


def test_a_kernel_of_no_mode(tmp_path: Path, net: HoVerNet) -> None:
    state = dict(net.state_dict())
    state["decoder.np.u3.conva.weight"] = torch.zeros(16, 64, 7, 7)
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(MismatchError, match="kernel of 7 px"):
        load_hovernet(tmp_path / "w.pth")


@pytest.mark.parametrize("body", [{"a": torch.zeros(1)}, {"desc": {}}, {"desc": {"a": 1}}, [1, 2]])
def test_checkpoints_of_something_else(tmp_path: Path, body: Any) -> None:
    torch.save(body, tmp_path / "w.pth")
    with pytest.raises(InputError, match=r"no HoVer-Net|no state dict"):
        load_hovernet(tmp_path / "w.pth")


class Evil:
    def __reduce__(self) -> Any:
        return os.mkdir, ("evil",)


def test_nothing_in_a_checkpoint_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"desc": Evil()}, tmp_path / "w.pth")
    with pytest.raises(InputError, match=r"could run code|cannot be read"):
        load_hovernet(tmp_path / "w.pth")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("name", ["w.pth", "w.tar", "w.safetensors", "w.bin", "w.weights"])
def test_files_that_are_no_weights(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"these are no weights at all")
    with pytest.raises(InputError, match="cannot be read"):
        load_hovernet(tmp_path / name)


def test_weights_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there are no weights") as caught:
        find_weights(tmp_path / "none.tar")
    assert "embedded" in caught.value.hint
    with pytest.raises(InputError, match="there are no weights"):
        find_weights(tmp_path)


def test_pannuke_is_fetched_when_asked_and_accepted(
    tmp_path: Path, net: HoVerNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.save(net.state_dict(), tmp_path / HUB_FILE)
    asked: list[tuple[str, ...]] = []

    def fetch(*what: str) -> str:
        asked.append(what)
        return str(tmp_path / HUB_FILE)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    loaded = load_hovernet("pannuke", allow_download=True, accept_licence=True)
    assert asked == [(HUB_ID, HUB_FILE)]
    assert loaded.facts.licence == "CC BY-NC-SA 4.0"


@pytest.mark.parametrize("body", [b"<html>busy</html>" * 50, b"PK\x03\x04 cut off", b""], ids=["page", "zip", "empty"])
def test_a_broken_download_is_thrown_away_and_fetched_anew(
    tmp_path: Path, net: HoVerNet, monkeypatch: pytest.MonkeyPatch, body: bytes
) -> None:
    """As the hub's cache has it: a link to the file; kept, every further try would find the same broken one."""
    stored, link = tmp_path / "blobs" / "abc", tmp_path / "snapshots" / HUB_FILE
    good = tmp_path / "good.pth"
    torch.save(net.state_dict(), good)
    deliveries = [body, good.read_bytes()]

    def fetch(*_what: str) -> str:
        if not link.exists():
            for folder in (stored.parent, link.parent):
                folder.mkdir(exist_ok=True)
            stored.write_bytes(deliveries.pop(0))
            link.symlink_to(stored)
        return str(link)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    with pytest.raises(InputError) as caught:
        load_hovernet("pannuke", allow_download=True, accept_licence=True)
    assert caught.value.message == f"what came from {HUB_ID} as '{HUB_FILE}' is no checkpoint and was thrown away"
    assert [p for p in tmp_path.rglob("*") if not p.is_dir()] == [good]
    assert same(load_hovernet("pannuke", allow_download=True, accept_licence=True).net, net)
    assert deliveries == []


def test_a_broken_file_of_the_user_is_left_where_it_is(tmp_path: Path) -> None:
    file = tmp_path / "mine.pth"
    file.write_bytes(b"<html>busy</html>" * 50)
    with pytest.raises(InputError, match=r"mine.pth' cannot be read as plain weights") as caught:
        load_hovernet(file)
    assert "weights_only" not in str(caught.value)  # torch advises to run what is in it
    assert file.exists()


def test_fetching_asks_for_the_file_alone(tmp_path: Path, net: HoVerNet) -> None:
    """A real download from a hub on this machine: one file is asked for, and nothing is told."""
    import http.server
    import subprocess
    import sys
    import threading

    torch.save(net.state_dict(), tmp_path / HUB_FILE)
    body, asked = (tmp_path / HUB_FILE).read_bytes(), []

    class Hub(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            asked.append((self.command, self.path))
            self.send_response(200)
            for name, value in {"ETag": '"abc"', "X-Repo-Commit": "a" * 40, "Content-Length": len(body)}.items():
                self.send_header(name, str(value))
            self.end_headers()

        def do_GET(self) -> None:
            self.do_HEAD()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    code = """
from napari_c2lst.cells.weights import load_hovernet
from napari_c2lst.common.errors import InputError
try:
    load_hovernet("pannuke", allow_download=True)
except InputError as error:
    print(error.message[-14:])
print(load_hovernet("pannuke", allow_download=True, accept_licence=True).facts.type_names[0])
"""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub) as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        place = {"HF_ENDPOINT": f"http://127.0.0.1:{hub.server_address[1]}", "HF_HOME": str(tmp_path / "hf")}
        alone = {"HF_HUB_OFFLINE": "0", "HF_HUB_DISABLE_XET": "1", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        line = [sys.executable, "-W", "ignore", "-c", code]
        done = subprocess.run(
            line, env={**os.environ, **place, **alone}, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        hub.shutdown()
    assert done.stdout.splitlines() == ["the same terms", "neoplastic"], done.stderr
    wanted = f"/{HUB_ID}/resolve/main/{HUB_FILE}"
    assert asked == [("HEAD", wanted), ("GET", wanted)]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("decoder.tp.u0.conv.weight", torch.zeros(1, 4, 1, 1), "4 channels of its first layer, 1 types"),
        ("conv0./.weight", torch.zeros(512, 3, 7, 7), "512 channels of its first layer, 6 types"),
        ("conv0./.weight", torch.zeros(0, 3, 7, 7), "0 channels of its first layer"),
        ("decoder.np.u3.conva.weight", torch.zeros(()), "a weight of it is one number"),
    ],
    ids=["one type", "too wide", "nothing", "a number"],
)
def test_shapes_of_no_network(tmp_path: Path, net: HoVerNet, name: str, value: Tensor, message: str) -> None:
    torch.save({**net.state_dict(), name: value}, tmp_path / "w.pth")
    with pytest.raises(MismatchError, match=message):
        load_hovernet(tmp_path / "w.pth")


def test_a_prefix_on_some_names_only_is_no_prefix(tmp_path: Path, net: HoVerNet) -> None:
    state = dict(net.state_dict())
    state["module.conv_bot.weight"] = state.pop("conv_bot.weight")
    torch.save({"desc": state}, tmp_path / "w.tar")
    with pytest.raises(MismatchError, match=r"missing: conv_bot.weight; not of this network: module.conv_bot.weight"):
        load_hovernet(tmp_path / "w.tar")


def test_a_damaged_header_of_ours_is_said(tmp_path: Path, net: HoVerNet) -> None:
    from safetensors.torch import save_file

    save_file(net.state_dict(), tmp_path / "w.safetensors", metadata={FACTS_KEY: "{cut o"})
    with pytest.raises(InputError, match=r"w.safetensors' are damaged"):
        load_hovernet(tmp_path / "w.safetensors")


def test_facts_that_do_not_fit_their_weights(tmp_path: Path, net: HoVerNet) -> None:
    """As after a mix-up of files: the header names five types, the weights have six."""
    from safetensors.torch import save_file

    facts = CellFacts(mode="fast", nr_types=5, width=WIDTH, types=CONSEP_TYPES)
    body = json.dumps({"version": 1, "facts": facts.model_dump(mode="json")})
    save_file(net.state_dict(), tmp_path / "w.safetensors", metadata={FACTS_KEY: body})
    with pytest.raises(MismatchError, match=r"decoder.tp.u0.conv.weight is \(6, 4, 1, 1\), not \(5, 4, 1, 1\)"):
        load_hovernet(tmp_path / "w.safetensors")


def test_safetensors_of_others_say_nothing_of_themselves(tmp_path: Path, net: HoVerNet) -> None:
    from safetensors.torch import save_file

    save_file(net.state_dict(), tmp_path / "w.safetensors")
    loaded = load_hovernet(tmp_path / "w.safetensors")
    assert same(loaded.net, net)
    assert loaded.facts.types == PANNUKE_TYPES
    assert read_facts(tmp_path / "w.safetensors") is None


def test_a_failed_write_keeps_the_weights_that_were_there(
    tmp_path: Path, net: HoVerNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = CellFacts(mode="fast", nr_types=6, width=WIDTH, types=PANNUKE_TYPES)
    file = save_hovernet(net, facts, tmp_path / "w.safetensors")
    before = file.read_bytes()

    def half_way(tensors: object, path: Path, **more: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.torch.save_file", half_way)
    with pytest.raises(InputError, match="the disk is full"):
        save_hovernet(net, facts, file)
    assert file.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["w.safetensors"]


def test_storing_halves_leaves_the_network_whole(tmp_path: Path, net: HoVerNet) -> None:
    facts = CellFacts(mode="fast", nr_types=6, width=WIDTH, types=PANNUKE_TYPES)
    before = maps(net)["np"]
    save_hovernet(net, facts, tmp_path / "w.safetensors", half=True)
    assert {p.dtype for p in net.parameters()} == {torch.float32}
    assert torch.equal(maps(net)["np"], before)


def test_a_file_called_pannuke_is_that_file(tmp_path: Path, net: HoVerNet, monkeypatch: pytest.MonkeyPatch) -> None:
    """No download is meant where a run folder of that name lies in the current folder."""
    facts = CellFacts(mode="fast", nr_types=6, width=WIDTH, types=PANNUKE_TYPES, name="own")
    save_hovernet(net, facts, tmp_path / "pannuke" / "hovernet.safetensors")
    monkeypatch.chdir(tmp_path)
    assert load_hovernet("pannuke").facts.name == "own"
