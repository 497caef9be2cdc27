from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from napari_c2lst.cells.training.side_by_side import Batch, SideBySide, divided, sharing_copy


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 1, 1))


def normed() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Conv2d(4, 1, 1))


def batch(n: int = 4) -> Batch:
    g = torch.Generator().manual_seed(1)
    return torch.randn(n, 3, 8, 8, generator=g), {"np": torch.randn(n, 1, 8, 8, generator=g)}


def losses(net: nn.Module, given: Batch) -> dict[str, Tensor]:
    error = net(given[0]) - given[1]["np"]
    return {"square": (error**2).mean(), "absolute": error.abs().mean()}


def gradients(net: nn.Module) -> list[Tensor]:
    return [p.grad.clone() for p in net.parameters() if p.grad is not None]


@pytest.mark.parametrize("n", [4, 5], ids=["even", "uneven"])
@pytest.mark.parametrize("parts", [1, 2, 3])
def test_gradients_are_those_of_the_whole_batch(parts: int, n: int) -> None:
    net = network()
    torch.stack(list(losses(net, batch(n)).values())).sum().backward()
    whole = gradients(net)
    net.zero_grad()
    given = SideBySide(net, parts).backward(losses, batch(n))
    for mine, theirs in zip(gradients(net), whole, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)
    assert float(given["square"]) == pytest.approx(float(losses(net, batch(n))["square"].detach()), abs=1e-5)
    assert not given["square"].requires_grad


def test_copies_follow_the_weights() -> None:
    net = network()
    together = SideBySide(net, 2)
    before = together.backward(losses, batch())
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.5)
    after = together.backward(losses, batch())
    assert float(after["square"]) == pytest.approx(float(losses(net, batch())["square"].detach()), abs=1e-5)
    assert float(after["square"]) != pytest.approx(float(before["square"]))


def test_a_copy_shares_its_weights_but_not_its_statistics() -> None:
    net = normed()
    copied = sharing_copy(net)
    for mine, theirs in zip(net.parameters(), copied.parameters(), strict=True):
        assert mine.data_ptr() == theirs.data_ptr()
    for mine, theirs in zip(net.buffers(), copied.buffers(), strict=True):
        assert mine.data_ptr() != theirs.data_ptr()


def test_statistics_are_the_mean_of_the_parts() -> None:
    net = normed()
    halves = [normed() for _ in range(2)]
    for half, share in zip(halves, divided(batch(), 2), strict=True):
        half(share[0])
    SideBySide(net, 2).backward(losses, batch())
    expected = (halves[0][1].running_mean + halves[1][1].running_mean) / 2
    assert torch.allclose(net[1].running_mean, expected)
    assert int(net[1].num_batches_tracked) == 1


def test_frozen_weights_get_no_gradient() -> None:
    net = network()
    together = SideBySide(net, 2)
    for p in net[0].parameters():
        p.requires_grad_(False)
    together.backward(losses, batch())
    assert net[0].weight.grad is None
    assert net[2].weight.grad is not None


def test_the_same_at_every_run() -> None:
    results = []
    for _ in range(3):
        net = normed()
        SideBySide(net, 2).backward(losses, batch())
        results.append(torch.cat([g.ravel() for g in gradients(net)]))
    assert torch.equal(results[0], results[1])
    assert torch.equal(results[0], results[2])


def test_more_parts_than_images() -> None:
    assert len(divided(batch(2), 5)) == 2
    net = network()
    SideBySide(net, 5).backward(losses, batch(2))
    assert net[0].weight.grad is not None


def test_an_error_of_a_part_is_raised() -> None:
    def broken(net: nn.Module, given: Batch) -> dict[str, Tensor]:
        raise RuntimeError("out of something")

    with pytest.raises(RuntimeError, match="out of something"):
        SideBySide(network(), 2).backward(broken, batch())
