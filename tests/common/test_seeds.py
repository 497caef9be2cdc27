import subprocess
import sys

import torch

from napari_c2lst.common.seeds import rng, torch_generator


def test_the_same_key_gives_the_same_numbers():
    assert rng(1, "noise", 2).random() == rng(1, "noise", 2).random()
    a, b = (torch.randn(4, generator=torch_generator(1, "noise", 2)) for _ in range(2))
    assert torch.equal(a, b)


def test_another_seed_key_or_type_gives_other_numbers():
    values = {rng(*key).random() for key in [(1, "a"), (2, "a"), (1, "b"), (1, "a", 0), (1, "a", "0"), (1,)]}
    assert len(values) == 6


def test_numbers_do_not_depend_on_the_process():
    code = "from napari_c2lst.common.seeds import rng; print(repr(float(rng(3, 'x', 1).random())))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert float(out) == float(rng(3, "x", 1).random())
