"""Settings of `pretrain`: a network that cannot be built is refused before a tile is packed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from napari_c2lst.common.errors import InputError
from napari_c2lst.diffusion.pretrain_settings import PretrainSettings

GIVEN: dict[str, Any] = {"tiles": ("t",), "out": "o", "device": "cpu"}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"patch_px": 50}, "patch_px 50 is no multiple of 8, which 3 levels behind a stem of 2 need"),
        ({"patch_px": 18, "stem": 4, "widths": (8, 16)}, "patch_px 18 is no multiple of 8"),
        ({"patch_px": 20, "preset": "paper"}, "patch_px 20 is no multiple of 8, which 4 levels behind a stem of 1"),
        ({"widths": ()}, "widths () are no channels"),
        ({"widths": (8, 0)}, "widths (8, 0) are no channels"),
        ({"attention_levels": 4}, "attention_levels 4 is more than the 3 levels of widths"),
        ({"held_out": 0.6}, "held_out = 0.6"),
        ({"kid_images": 10}, "kid_images = 10"),
        ({"stem": 3}, "stem = 3"),
        ({"tile": ("t",)}, "no setting 'tile'"),
    ],
)
def test_values_that_cannot_be_are_refused_by_name(values: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        PretrainSettings.resolve(**{**GIVEN, "preset": "small", **values})
    assert says in caught.value.message
    assert caught.value.hint == "see 'c2lst pretrain --help'"


@pytest.mark.parametrize(
    "values",
    [
        {"patch_px": 24, "stem": 2, "widths": (8, 16, 16)},
        {"patch_px": 16, "stem": 4, "widths": (8,), "attention_levels": 0},
        {"patch_px": 20, "stem": 1, "widths": (6, 9, 12), "attention_levels": 3},
    ],
)
def test_a_network_that_is_let_through_can_be_built_and_run(values: dict[str, Any]) -> None:
    import torch

    from napari_c2lst.diffusion.unet import build_noise_net

    s = PretrainSettings.resolve(**{**GIVEN, "preset": "small", "blocks": 1, **values})
    net = build_noise_net(
        patch_px=s.patch_px, stem=s.stem, widths=s.widths, blocks=s.blocks, attention_levels=s.attention_levels
    )
    with torch.no_grad():
        assert net(torch.randn(2, 3, s.patch_px, s.patch_px), torch.tensor([1, 900])).shape[-1] == s.patch_px


def test_the_small_preset_is_a_cpus_and_single_values_win() -> None:
    small = PretrainSettings.resolve(**GIVEN, steps=7)
    assert (small.preset, small.steps, small.stem, small.prediction) == ("small", 7, 2, "velocity")
    assert (small.half, small.held_out, small.kid_every) == (True, 0.0, 0)
    paper = PretrainSettings.resolve(**GIVEN, preset="paper")
    assert (paper.stem, paper.prediction, paper.stain, paper.half) == (1, "noise", "vahadane", False)


def test_presets_name_settings_there_are_and_every_one_has_help() -> None:
    assert all(set(values) <= set(PretrainSettings.model_fields) for values in PretrainSettings.presets.values())
    infos = PretrainSettings.fields_info()
    assert all(info.help for info in infos)
    assert [info.name for info in infos if info.positional] == ["tiles"]


def test_settings_load_no_torch() -> None:
    code = "import sys, napari_c2lst.diffusion.pretrain_settings as s, napari_c2lst.diffusion.publish_settings;"
    subprocess.run([sys.executable, "-c", f"{code} assert not {{'torch', 'PIL'}} & set(sys.modules)"], check=True)
