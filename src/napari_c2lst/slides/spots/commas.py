"""Values with commas in them, which a command line splits."""

from collections.abc import Sequence


def rejoined(values: Sequence[str], there: Sequence[str]) -> list[str]:
    """Put the parts of a value with commas together again where there is such a value.

    Parameters
    ----------
    values
        As the user gave them, maybe split at commas: "Carcinoma", "invasive".
    there
        The values there are: "Carcinoma, invasive".
    """
    whole = {tuple(part.strip() for part in value.split(",") if part.strip()): value for value in there if "," in value}
    joined: list[str] = []
    rest = list(values)
    while rest:
        fits = [parts for parts in whole if tuple(rest[: len(parts)]) == parts]
        taken = max(map(len, fits), default=1)
        joined.append(whole[tuple(rest[:taken])] if fits else rest[0])
        rest = rest[taken:]
    return joined
