import pytest

from napari_c2lst.diffusion.timing import in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.1, "1 s"), (40, "40 s"), (150, "2 min"), (720, "12 min"), (12_000, "3 h 20 min"), (190_000, "2 days 4 h")],
)
def test_durations_are_rounded_to_what_a_reader_wants(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
