"""Parts of a batch computed at the same time, each by a thread of its own.

On a CPU with other work to do, the threads of one operation wait for each other at every operation of the network;
threads that meet once a step do not: with eight programs on two cores a step took less than half the time.
"""

import copy
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch
from torch import Tensor, nn

Net = TypeVar("Net", bound=nn.Module)
Losses = dict[str, Tensor]
Batch = tuple[Tensor, dict[str, Tensor]]


class SideBySide:
    """Copies of a network that share its weights and have batch statistics of their own.

    Parameters
    ----------
    net
        The network; its weights stay the only ones.
    parts
        How many copies; with one, the network itself computes in the caller's thread.
    """

    def __init__(self, net: nn.Module, parts: int) -> None:
        self.net = net
        self.copies = [net] if parts == 1 else [sharing_copy(net) for _ in range(parts)]
        # as many threads in all as the caller has
        self._threads = max(1, torch.get_num_threads() // parts)
        self._pool = ThreadPoolExecutor(parts, "part", torch.set_num_threads, (self._threads,)) if parts > 1 else None

    def backward(self, losses_of: Callable[[nn.Module, Batch], Losses], batch: Batch) -> Losses:
        """Set the gradients of the network's weights to those of the mean loss of the parts.

        Parameters
        ----------
        losses_of
            Gives the parts of the loss of a network on a batch; their sum is what is minimised.
        batch
            Images (n, ...) and targets (n, ...), divided evenly as far as it goes.

        Returns
        -------
        dict
            The parts of the loss, means over the batch, detached.
        """
        weights = [p for p in self.net.parameters() if p.requires_grad]
        shares = divided(batch, len(self.copies))
        nets = self.copies[: len(shares)]
        for copied in nets:
            self._follow(copied)
        work = [(net, share, len(share[0]) / len(batch[0]), losses_of) for net, share in zip(nets, shares, strict=True)]
        done = [_gradients(*w) for w in work] if self._pool is None else list(self._pool.map(_unpacked, work))
        for place, weight in enumerate(weights):
            weight.grad = torch.stack([gradients[place] for _, gradients in done]).sum(0)
        self._gather(nets)
        return {name: torch.stack([losses[name] for losses, _ in done]).sum() for name in done[0][0]}

    def _follow(self, copied: nn.Module) -> None:
        if copied is self.net:
            return
        copied.train(self.net.training)
        for mine, theirs in zip(self.net.parameters(), copied.parameters(), strict=True):
            theirs.requires_grad_(mine.requires_grad)
        for statistic, its in zip(self.net.buffers(), copied.buffers(), strict=True):
            its.copy_(statistic)

    def _gather(self, nets: list[nn.Module]) -> None:
        """Batch statistics of the network become the mean of those of its copies."""
        if nets[0] is self.net:
            return
        for mine, *theirs in zip(self.net.buffers(), *(net.buffers() for net in nets), strict=True):
            mine.copy_(torch.stack(theirs).mean(0) if mine.is_floating_point() else theirs[0])


def _unpacked(
    work: tuple[nn.Module, Batch, float, Callable[[nn.Module, Batch], Losses]],
) -> tuple[Losses, list[Tensor]]:
    return _gradients(*work)


def _gradients(
    net: nn.Module, batch: Batch, weight: float, losses_of: Callable[[nn.Module, Batch], Losses]
) -> tuple[Losses, list[Tensor]]:
    """Losses of a share, and their gradients, both times the share's weight."""
    losses = {name: loss * weight for name, loss in losses_of(net, batch).items()}
    total = torch.stack(list(losses.values())).sum()
    gradients = torch.autograd.grad(total, [p for p in net.parameters() if p.requires_grad])
    return {name: loss.detach() for name, loss in losses.items()}, list(gradients)


def sharing_copy(net: Net) -> Net:
    """A copy whose weights are the same memory."""
    copied = copy.deepcopy(net)
    for mine, theirs in zip(net.parameters(), copied.parameters(), strict=True):
        theirs.data = mine.data
    return copied


def divided(batch: Batch, parts: int) -> list[Batch]:
    """A batch in at most so many shares, the first ones larger by one where it does not divide evenly."""
    images, targets = batch
    shares = torch.tensor_split(torch.arange(len(images)), parts)
    return [(images[k], {name: value[k] for name, value in targets.items()}) for k in shares if len(k)]
