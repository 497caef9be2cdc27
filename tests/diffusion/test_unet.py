import numpy as np
import pytest
import torch

from napari_c2lst.diffusion.schedule import VELOCITY, NoiseSchedule
from napari_c2lst.diffusion.unet import NoiseNet, as_batch, as_patches, build_noise_net, count_parameters


def tiny(**values):
    return build_noise_net(
        **{"patch_px": 16, "stem": 2, "widths": (8, 16), "blocks": 1, "attention_levels": 1, **values}
    )


@pytest.mark.parametrize("stem", [1, 2, 4])
def test_noise_has_the_shape_of_the_patch_whatever_the_stem(stem):
    net = tiny(stem=stem)
    assert net.patch_px == 16
    assert net(torch.randn(3, 3, 16, 16), torch.tensor([1, 5, 900])).shape == (3, 3, 16, 16)


def test_a_larger_stem_sees_the_same_pixels_in_fewer_places():
    assert tiny(stem=2).unet.config.sample_size == 8
    assert tiny(stem=2).unet.config.in_channels == 12


def test_a_stem_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="needs 3 channels, the U-Net has 12"):
        NoiseNet(tiny(stem=2).unet, stem=1)


def test_the_papers_network_has_its_widths():
    net = build_noise_net(patch_px=64, stem=1, widths=(64, 128, 256, 512), blocks=2, attention_levels=1)
    assert tuple(net.unet.config.block_out_channels) == (64, 128, 256, 512)
    assert net.unet.config.layers_per_block == 2
    assert [b for b in net.unet.config.down_block_types if b.startswith("Attn")] == ["AttnDownBlock2D"]
    assert 55e6 < count_parameters(net) < 70e6


@pytest.mark.parametrize("widths", [(48, 80, 112), (10, 15), (7, 14)])
def test_any_widths_find_their_normalisation_groups(widths):
    groups = build_noise_net(
        patch_px=32, stem=2, widths=widths, blocks=1, attention_levels=1
    ).unet.config.norm_num_groups
    assert all(w % groups == 0 for w in widths)


def test_patches_survive_the_way_to_a_batch_and_back():
    patches = np.random.default_rng(0).integers(256, size=(2, 4, 4, 3), dtype=np.uint8)
    batch = as_batch(patches)
    assert batch.shape == (2, 3, 4, 4)
    assert batch.min() >= -1
    assert batch.max() <= 1
    assert np.array_equal(as_patches(batch), patches)


def test_values_outside_are_clipped_not_wrapped():
    assert as_patches(torch.tensor([-3.0, 3.0, 0.0]).view(1, 3, 1, 1)).tolist() == [[[[0, 255, 128]]]]


def test_velocity_is_turned_into_noise():
    schedule = NoiseSchedule(prediction=VELOCITY)
    net = tiny(alphas_cumprod=schedule.velocity_alphas)
    plain = NoiseNet(net.unet, net.stem)
    x, t = torch.randn(2, 3, 16, 16), torch.tensor([5, 700])
    a = schedule.alphas_cumprod[t].view(-1, 1, 1, 1)
    v = plain(x, t)
    noise = net(x, t)
    assert torch.allclose(noise, (1 - a).sqrt() * x + a.sqrt() * v, atol=1e-6)
    # with x = sqrt(a) x0 + sqrt(1 - a) noise, v = sqrt(a) noise - sqrt(1 - a) x0
    x0 = a.sqrt() * x - (1 - a).sqrt() * v
    assert torch.allclose(a.sqrt() * x0 + (1 - a).sqrt() * noise, x, atol=1e-5)


def test_the_schedule_is_no_weight_of_the_network():
    net = tiny(alphas_cumprod=NoiseSchedule(prediction=VELOCITY).velocity_alphas)
    assert set(net.state_dict()) == set(tiny().state_dict())


def test_a_batch_is_linear_in_the_pixels():
    patches = np.array([0, 51, 255], np.uint8).reshape(1, 1, 3, 1).repeat(3, axis=3)
    assert as_batch(patches)[0, 0, 0].tolist() == pytest.approx([-1, -0.6, 1])
    assert as_batch(patches).dtype == torch.float32


def test_half_precision_patches_come_back_whole():
    patches = np.random.default_rng(0).integers(256, size=(2, 4, 4, 3), dtype=np.uint8)
    assert np.array_equal(as_patches(as_batch(patches).to(torch.float16)), patches)


def test_attention_is_in_the_lowest_levels_only():
    config = tiny(widths=(8, 16, 16), attention_levels=2).unet.config
    assert config.down_block_types == ("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D")
    assert config.up_block_types == ("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D")


def test_patches_of_a_batch_do_not_see_each_other():
    torch.manual_seed(0)
    net = tiny().eval()
    x, t = torch.randn(3, 3, 16, 16), torch.tensor([1, 500, 900])
    with torch.no_grad():
        together = net(x, t)
        alone = torch.cat([net(x[i : i + 1], t[i : i + 1]) for i in range(3)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_parameters_are_counted_once():
    layer = torch.nn.Linear(3, 4)
    assert count_parameters(layer) == 16
    assert count_parameters(torch.nn.Sequential(layer, layer)) == 16
    assert count_parameters(torch.nn.ReLU()) == 0


@pytest.mark.parametrize("widths", [(8, 16), (6, 9, 12), (48, 80, 112)])
def test_attention_may_be_in_every_level_whatever_the_widths(widths):
    """A head as wide as the lowest level's would leave narrower levels none."""
    net = tiny(widths=widths, attention_levels=len(widths))
    assert all(width % net.unet.config.attention_head_dim == 0 for width in widths)
    assert net(torch.randn(2, 3, 16, 16), torch.tensor([1, 900])).shape == (2, 3, 16, 16)


@pytest.mark.parametrize(("widths", "levels", "dim"), [((64, 80, 96), 1, 32), ((8, 16), 0, 16), ((8, 112), 1, 28)])
def test_heads_of_the_lowest_level_alone_are_as_wide_as_they_were(widths, levels, dim):
    """Central models that are there were built so; another width would be another model."""
    assert tiny(widths=widths, attention_levels=levels).unet.config.attention_head_dim == dim
