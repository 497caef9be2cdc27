"""Flat tensors for checkpoints: optimizer states and EMA copies without pickle."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def optimizer_tensors(optimizer: "torch.optim.Optimizer", prefix: str = "optimizer.") -> "dict[str, torch.Tensor]":
    """The state of an optimizer as flat tensors `optimizer.<parameter>.<name>`."""
    import torch

    states = optimizer.state_dict()["state"]
    return {
        f"{prefix}{index}.{name}": torch.as_tensor(value).clone()  # the optimizer writes into its own in place
        for index, state in states.items()
        for name, value in state.items()
    }


def load_optimizer_tensors(
    optimizer: "torch.optim.Optimizer", tensors: "Mapping[str, torch.Tensor]", prefix: str = "optimizer."
) -> None:
    """Put back what `optimizer_tensors` gave; learning rates are a function of the step and not kept."""
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        if key.startswith(prefix):
            index, name = key.removeprefix(prefix).split(".", 1)
            state.setdefault(int(index), {})[name] = value
    body = optimizer.state_dict()
    optimizer.load_state_dict({**body, "state": state})


def with_prefix(tensors: "Mapping[str, torch.Tensor]", prefix: str) -> "dict[str, torch.Tensor]":
    """The same tensors, every name behind a prefix."""
    return {f"{prefix}{name}": value for name, value in tensors.items()}


def without_prefix(tensors: "Mapping[str, torch.Tensor]", prefix: str) -> "dict[str, torch.Tensor]":
    """The tensors whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
