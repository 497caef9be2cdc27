from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_c2lst.common.errors import InputError
from napari_c2lst.expression.networks import (
    SMALL_WIDTHS,
    BasicBlock,
    ExpressionNet,
    build_network,
    check_pretrained,
    number_format,
    pretrained_resnet,
)

TINY_RESNET = {
    "name": "resnet50",
    "embedding_size": 8,
    "hidden_sizes": [16, 32],
    "depths": [1, 1],
    "layer_type": "bottleneck",
}


def patches(n: int = 2, px: int = 32, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (n, 3, px, px), dtype=np.uint8))


def resnet_folder(path: Path) -> Path:
    from transformers import ResNetConfig, ResNetModel

    torch.manual_seed(1)
    config = ResNetConfig(**{k: v for k, v in TINY_RESNET.items() if k != "name"})
    ResNetModel(config).save_pretrained(path)
    return path


@pytest.mark.parametrize("architecture", [{"name": "small"}, TINY_RESNET], ids=["small", "resnet"])
def test_networks_map_patches_to_genes(architecture: dict[str, object]) -> None:
    net = build_network(architecture, 5).eval()
    assert net(patches()).shape == (2, 5)
    assert net(patches()).dtype == torch.float32


def test_the_small_network_fits_a_cpu_and_64_pixels() -> None:
    net = build_network({"name": "small"}, 250)
    count = sum(p.numel() for p in net.parameters())
    assert 100_000 < count < 1_000_000
    assert net.architecture == {"name": "small", "widths": list(SMALL_WIDTHS)}
    assert net.backbone[:-2](patches(1, 64).float()).shape == (1, SMALL_WIDTHS[-1], 2, 2)


def test_the_default_resnet_is_resnet_50() -> None:
    net = build_network({"name": "resnet50"}, 3)
    assert list(net.architecture["depths"]) == [3, 4, 6, 3]
    assert net.architecture["layer_type"] == "bottleneck"
    assert net.head.in_features == 2048
    # 23.5 million without the classifier
    assert 23e6 < sum(p.numel() for p in net.backbone.parameters()) < 24e6


def test_an_architecture_makes_the_same_network_again() -> None:
    for architecture in ({"name": "small", "widths": [8, 16]}, TINY_RESNET):
        first = build_network(architecture, 4)
        again = build_network(json.loads(json.dumps(first.architecture)), 4)
        again.load_state_dict(first.state_dict())
        assert torch.equal(first.eval()(patches()), again.eval()(patches()))


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(InputError, match="no network 'vgg'"):
        build_network({"name": "vgg"}, 4)


def test_bytes_and_floats_of_the_same_range_are_the_same_patches() -> None:
    net = build_network({"name": "small", "widths": [8]}, 4).eval()
    assert torch.equal(net(patches()), net(patches().float()))


def test_normalisation_lives_in_the_network_and_not_in_its_file() -> None:
    seen: list[torch.Tensor] = []
    net = build_network({"name": "small", "widths": [8]}, 4)
    net.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    net(torch.full((1, 3, 32, 32), 127.5))
    expected = (0.5 - torch.tensor([0.485, 0.456, 0.406])) / torch.tensor([0.229, 0.224, 0.225])
    torch.testing.assert_close(seen[0][0, :, 0, 0], expected)
    assert {"mean", "std"}.isdisjoint(net.state_dict())


def test_it_starts_at_the_expression_it_is_told() -> None:
    net = build_network({"name": "small", "widths": [8]}, 4)
    before = net(patches())
    net.start_at(torch.tensor([0.0, 1.0, 2.0, 3.0]))
    assert not torch.equal(before, net(patches()))
    for seed in range(2):
        assert torch.equal(net(patches(seed=seed)), torch.tensor([[0.0, 1.0, 2.0, 3.0]]).expand(2, 4))


def test_the_head_stays_in_full_precision_under_autocast() -> None:
    net = build_network({"name": "small", "widths": [8]}, 4)
    net.start_at(torch.full((4,), 3.1415927))
    with torch.autocast("cpu", torch.bfloat16):
        out = net(patches())
    assert out.dtype == torch.float32
    assert torch.equal(out, torch.full((2, 4), 3.1415927))  # bf16 would say 3.140625


def test_dropout_acts_in_training_only() -> None:
    net = build_network({"name": "small", "widths": [8]}, 4, dropout=0.5)
    assert not torch.equal(net.train()(patches()), net.train()(patches()))
    assert torch.equal(net.eval()(patches()), net.eval()(patches()))
    assert "dropout" not in net.architecture


def test_a_block_without_change_of_shape_keeps_its_input_on_the_shortcut() -> None:
    assert isinstance(BasicBlock(8, 8, 1).shortcut, torch.nn.Identity)
    assert not isinstance(BasicBlock(8, 16, 1).shortcut, torch.nn.Identity)
    block = BasicBlock(8, 8, 1).eval()
    torch.nn.init.zeros_(block.norm2.weight)
    x = torch.rand(1, 8, 4, 4)
    assert torch.equal(block(x), x)
    assert BasicBlock(8, 16, 2)(x).shape == (1, 16, 2, 2)


def test_a_patch_does_not_depend_on_the_others_in_its_batch() -> None:
    net = build_network({"name": "small", "widths": [8, 16]}, 4).train()
    together = net(patches(4))
    torch.testing.assert_close(together[:1], net(patches(4)[:1]))


def test_pretrained_weights_come_from_a_folder(tmp_path: Path) -> None:
    from transformers import ResNetModel

    folder = resnet_folder(tmp_path / "resnet")
    net = pretrained_resnet(str(folder), 6, dropout=0.25)
    assert isinstance(net, ExpressionNet)
    assert net.dropout.p == 0.25
    wanted = ResNetModel.from_pretrained(folder).state_dict()
    got = net.backbone.resnet.state_dict()  # type: ignore[union-attr]
    assert all(torch.equal(got[name], value) for name, value in wanted.items())
    again = build_network(net.architecture, 6)
    again.load_state_dict(net.state_dict())
    assert torch.equal(again.eval()(patches()), net.eval()(patches()))


def test_a_pickle_of_weights_is_refused(tmp_path: Path) -> None:
    folder = resnet_folder(tmp_path / "resnet")
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"holds a pickle \('pytorch_model.bin'\)"):
        check_pretrained(str(folder), allow_download=False)


def test_what_a_folder_lacks_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no config.json and holds no weights") as caught:
        check_pretrained(str(tmp_path), allow_download=True)
    assert "model.safetensors" in caught.value.hint


def test_another_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(InputError, match="is not a ResNet"):
        pretrained_resnet(str(tmp_path), 4)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    folder = resnet_folder(tmp_path / "resnet")
    (folder / "model.safetensors").write_bytes(b"\x00" * 100)
    with pytest.raises(InputError, match="could not be loaded"):
        pretrained_resnet(str(folder), 4)


def test_nothing_is_downloaded_unless_allowed() -> None:
    with pytest.raises(InputError, match="'centre/model' are not on this computer") as caught:
        check_pretrained("centre/model", allow_download=False)
    assert "--allow-download" in caught.value.hint
    check_pretrained("centre/model", allow_download=True)


def test_a_wrong_path_is_no_hub_id() -> None:
    with pytest.raises(InputError, match="are not on this computer"):
        check_pretrained("/no/such/folder/at all", allow_download=False)


def test_a_small_network_on_a_cpu_stays_in_fp32() -> None:
    cpu, small = torch.device("cpu"), {"name": "small"}
    assert number_format(cpu, "auto", small) is None
    assert number_format(cpu, "bf16", small) is torch.bfloat16
    assert number_format(cpu, "fp32", {"name": "resnet50"}) is None
    from napari_c2lst.common.device import autocast_dtype

    assert number_format(cpu, "auto", {"name": "resnet50"}) == autocast_dtype(cpu, "auto")
