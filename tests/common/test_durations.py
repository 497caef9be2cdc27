import pytest

from napari_c2lst.common.durations import in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "1 s"),
        (0.1, "1 s"),
        (40, "40 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (130, "2 min 10 s"),
        (299.6, "5 min"),
        (720, "12 min"),
        (5399, "1 h 30 min"),
        (12_000, "3 h 20 min"),
        (172_700, "47 h 58 min"),
        (190_000, "2 days 4 h"),
    ],
)
def test_durations_are_as_exact_as_a_reader_wants(seconds: float, words: str) -> None:
    assert in_words(seconds) == words


def test_a_longer_time_never_reads_shorter() -> None:
    def seconds_of(words: str) -> int:
        units = {"s": 1, "min": 60, "h": 3600, "days": 86_400}
        parts = words.split()
        return sum(int(n) * units[unit] for n, unit in zip(parts[::2], parts[1::2], strict=True))

    said = [seconds_of(in_words(seconds)) for seconds in range(1, 400_000, 7)]
    assert said == sorted(said)
