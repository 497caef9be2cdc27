from napari_c2lst.common import durations
from napari_c2lst.diffusion import timing


def test_the_former_name_is_the_one_function() -> None:
    assert timing.in_words is durations.in_words
