import torch

from napari_c2lst.common.checkpoints import load_optimizer_tensors, optimizer_tensors, with_prefix, without_prefix


def _step(weight, optimizer, target):
    optimizer.zero_grad()
    (weight - target).pow(2).sum().backward()
    optimizer.step()


def test_an_optimizer_goes_on_bit_for_bit():
    whole = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([whole], lr=0.1)
    _step(whole, optimizer, 3.0)
    kept, weights = optimizer_tensors(optimizer), whole.detach().clone()
    _step(whole, optimizer, 5.0)

    again = torch.nn.Parameter(weights)
    other = torch.optim.AdamW([again], lr=0.1)
    load_optimizer_tensors(other, kept)
    _step(again, other, 5.0)
    assert torch.equal(whole, again)


def test_names_of_flat_tensors_are_safe_for_files():
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([weight], lr=0.1)
    _step(weight, optimizer, 3.0)
    assert sorted(optimizer_tensors(optimizer)) == ["optimizer.0.exp_avg", "optimizer.0.exp_avg_sq", "optimizer.0.step"]


def test_prefixes_come_and_go():
    tensors = {"a": torch.ones(1), "b": torch.zeros(1)}
    assert without_prefix({**with_prefix(tensors, "net."), "x": torch.ones(1)}, "net.") == tensors


def test_what_was_kept_does_not_follow_the_optimizer():
    weight = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([weight], lr=0.1)
    _step(weight, optimizer, 3.0)
    kept = optimizer_tensors(optimizer)
    before = {name: value.clone() for name, value in kept.items()}
    _step(weight, optimizer, 9.0)
    assert all(torch.equal(kept[name], before[name]) for name in before)


def test_an_optimizer_that_has_not_begun_has_no_state():
    optimizer = torch.optim.AdamW([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    assert optimizer_tensors(optimizer) == {}
    load_optimizer_tensors(optimizer, {"net.weight": torch.ones(1)})  # nothing of it is the optimizer's
    assert optimizer.state_dict()["state"] == {}


def test_the_learning_rate_stays_that_of_the_optimizer():
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.AdamW([weight], lr=0.1)
    _step(weight, optimizer, 3.0)
    other = torch.optim.AdamW([torch.nn.Parameter(torch.ones(1))], lr=0.5)
    load_optimizer_tensors(other, optimizer_tensors(optimizer))
    assert other.param_groups[0]["lr"] == 0.5
