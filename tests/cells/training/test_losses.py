from __future__ import annotations

import numpy as np
import pytest
import torch
from tests.cells.training.nuclei import disc_image, square_labels

from napari_c2lst.cells.training.batches import as_tensors
from napari_c2lst.cells.training.losses import dice_loss, gradient_loss, gradients, hovernet_losses, sobel_kernel
from napari_c2lst.cells.training.targets import distance_maps, make_targets


def truth() -> dict[str, torch.Tensor]:
    nuclei = disc_image(60)
    return as_tensors([make_targets(nuclei.instances, nuclei.types, 40)])


def perfect(targets: dict[str, torch.Tensor], sure: float = 30.0) -> dict[str, torch.Tensor]:
    """Raw maps that say what is true."""
    logits = {
        name: sure * torch.nn.functional.one_hot(targets[name], count).permute(0, 3, 1, 2).float()
        for name, count in (("np", 2), ("tp", 3))
    }
    return {**logits, "hv": targets["hv"].clone()}


def test_the_truth_costs_nothing() -> None:
    targets = truth()
    parts = hovernet_losses(perfect(targets), targets)
    assert set(parts) == {"np_bce", "np_dice", "hv_mse", "hv_msge", "tp_bce", "tp_dice"}
    assert all(float(value) == pytest.approx(0, abs=1e-3) for value in parts.values())


def test_without_types_there_is_no_such_part() -> None:
    targets = truth()
    maps = perfect(targets)
    del maps["tp"]
    assert set(hovernet_losses(maps, targets)) == {"np_bce", "np_dice", "hv_mse", "hv_msge"}


@pytest.mark.parametrize(("name", "parts"), [("np", {"np_bce", "np_dice"}), ("tp", {"tp_bce", "tp_dice"})])
def test_a_wrong_map_costs_its_own_parts(name: str, parts: set[str]) -> None:
    targets = truth()
    maps = perfect(targets)
    maps[name] = -maps[name]
    losses = hovernet_losses(maps, targets)
    assert {k for k, v in losses.items() if float(v) > 0.5} == parts


def test_cross_entropy_by_hand() -> None:
    targets = {"np": torch.tensor([[[1, 0]]]), "hv": torch.zeros(1, 2, 1, 2)}
    maps = {"np": torch.zeros(1, 2, 1, 2), "hv": torch.full((1, 2, 1, 2), 0.5)}
    parts = hovernet_losses(maps, targets)
    assert float(parts["np_bce"]) == pytest.approx(np.log(2))
    assert float(parts["hv_mse"]) == pytest.approx(0.25)


def test_dice_by_hand() -> None:
    # half of what is said of each class is right: 2 * 1 / (2 + 2) for both
    logits = torch.zeros(1, 2, 1, 4)
    true = torch.tensor([[[1, 1, 0, 0]]])
    assert float(dice_loss(logits, true)) == pytest.approx(2 * (1 - 0.5), abs=1e-3)


def test_dice_is_over_the_batch() -> None:
    logits = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    true = torch.randint(3, (2, 8, 8), generator=torch.Generator().manual_seed(1))
    both = float(dice_loss(logits, true))
    alone = [float(dice_loss(logits[k : k + 1], true[k : k + 1])) for k in range(2)]
    joined = float(dice_loss(logits.permute(1, 0, 2, 3).reshape(1, 3, 16, 8), true.reshape(1, 16, 8)))
    assert both == pytest.approx(joined, abs=1e-5)
    assert both != pytest.approx(np.mean(alone), abs=1e-5)


def test_the_kernel_of_a_sobel_filter_of_five() -> None:
    kernel = sobel_kernel()
    assert kernel.shape == (5, 5)
    assert kernel[2, 2] == 0
    assert kernel[2].tolist() == pytest.approx([-0.5, -1, 0, 1, 0.5])
    assert kernel[1, 3] == pytest.approx(0.5)  # 1 / (1 + 1)
    assert kernel[0].tolist() == pytest.approx([-0.25, -0.2, 0, 0.2, 0.25])


def test_gradients_are_along_x_of_the_first_and_along_y_of_the_second() -> None:
    y, x = torch.meshgrid(torch.arange(12.0), torch.arange(12.0), indexing="ij")
    rising = gradients(torch.stack([x, y])[None])
    swapped = gradients(torch.stack([y, x])[None])
    inner = (slice(None), slice(None), slice(3, 9), slice(3, 9))
    # a ramp of 1 a pixel: the sum of x^2 / (x^2 + y^2) over the kernel
    assert torch.allclose(rising[inner], torch.tensor(12.0))
    assert torch.allclose(swapped[inner], torch.tensor(0.0), atol=1e-5)


def test_gradient_loss_counts_inside_nuclei_only() -> None:
    true = torch.zeros(1, 2, 12, 12)
    wrong = torch.zeros(1, 2, 12, 12)
    wrong[:, :, 8, 8] = 1.0
    near, far = torch.zeros(1, 12, 12), torch.zeros(1, 12, 12)
    near[0, 7:10, 7:10] = 1
    far[0, 1:3, 1:3] = 1
    assert float(gradient_loss(wrong, true, near)) > 0.1
    assert float(gradient_loss(wrong, true, far)) == 0
    assert float(gradient_loss(wrong, true, torch.zeros(1, 12, 12))) == 0


def test_a_blurred_edge_between_nuclei_costs_gradient() -> None:
    labels = square_labels(40, (10, 5, 15, 15), (10, 20, 15, 15))
    true = torch.from_numpy(distance_maps(labels))[None]
    nucleus = torch.from_numpy(labels > 0)[None]
    one = torch.from_numpy(distance_maps((labels > 0).astype(np.int32)))[None]  # as if they were one nucleus
    assert float(gradient_loss(one, true, nucleus)) > 1
    assert float(gradient_loss(true, true, nucleus)) == 0
