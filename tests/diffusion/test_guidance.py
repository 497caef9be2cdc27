import pytest
import torch

from napari_c2lst.diffusion.guidance import Guidance, guide, rescale_colours


def test_guidance_is_the_formula_of_the_paper() -> None:
    cond, uncond = torch.tensor([2.0]), torch.tensor([1.0])
    assert guide(cond, uncond, 3.0) == 4.0
    assert guide(cond, uncond, 1.0) == cond
    assert guide(cond, uncond, 0.0) == uncond


@pytest.mark.parametrize(("t", "acts"), [(0, False), (199, False), (200, True), (500, True), (799, True), (900, False)])
def test_guidance_acts_inside_its_interval_only(t: int, acts: bool) -> None:
    assert Guidance(low=0.2, high=0.8).acts(t) is acts


def test_guidance_of_one_needs_no_second_branch() -> None:
    assert not Guidance(scale=1.0).acts(500)
    assert Guidance(scale=0.0).acts(500)
    assert Guidance().acts(0)
    assert Guidance().acts(999)


def _saturated() -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    cond = 0.4 + 0.2 * torch.randn(2, 3, 8, 8, generator=draw)
    tint = torch.tensor([0.5, -0.9, 0.4])[None, :, None, None]
    return 3 * (cond - 0.4) + tint, cond


def test_full_rescaling_gives_back_the_colours_and_keeps_the_structure() -> None:
    guided, cond = _saturated()
    out = rescale_colours(guided, cond, 1.0)
    assert torch.allclose(out.mean((2, 3)), cond.mean((2, 3)), atol=1e-5)
    assert torch.allclose(out.std((2, 3)), cond.std((2, 3)), atol=1e-5)
    correlation = torch.corrcoef(torch.stack([out[0, 0].flatten(), guided[0, 0].flatten()]))[0, 1]
    assert correlation > 0.999


def test_rescaling_is_linear_in_phi_and_off_at_zero() -> None:
    guided, cond = _saturated()
    assert rescale_colours(guided, cond, 0.0) is guided
    half = rescale_colours(guided, cond, 0.5)
    assert torch.allclose(half, (guided + rescale_colours(guided, cond, 1.0)) / 2, atol=1e-6)


def test_a_flat_patch_is_no_division_by_zero() -> None:
    flat = torch.full((1, 3, 4, 4), 0.3)
    assert torch.isfinite(rescale_colours(flat, torch.randn(1, 3, 4, 4), 1.0)).all()


def test_rescaling_takes_each_patch_and_colour_for_itself() -> None:
    guided, cond = _saturated()
    together = rescale_colours(guided, cond, 0.7)
    alone = torch.cat([rescale_colours(guided[i : i + 1], cond[i : i + 1], 0.7) for i in range(2)])
    assert torch.allclose(together, alone, atol=1e-6)
    other = guided.clone()
    other[:, 2] *= 4
    assert torch.equal(rescale_colours(other, cond, 0.7)[:, :2], together[:, :2])


@pytest.mark.parametrize(("t", "steps", "acts"), [(0, 11, False), (2, 11, True), (8, 11, True), (9, 11, False)])
def test_the_interval_is_a_share_of_the_schedule_whatever_its_length(t: int, steps: int, acts: bool) -> None:
    assert Guidance(low=0.2, high=0.8).acts(t, steps) is acts


def test_guidance_of_one_is_the_conditional_model_and_of_zero_the_unconditional() -> None:
    cond, uncond = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    assert torch.allclose(guide(cond, uncond, 1.0), cond, atol=1e-6)
    assert torch.equal(guide(cond, uncond, 0.0), uncond)
    assert torch.equal(guide(cond, cond, 7.5), cond)  # where both agree there is nothing to enforce
