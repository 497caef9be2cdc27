"""Lists of names in text files: genes, spots."""

from pathlib import Path

from .errors import InputError


def read_names(path: Path, what: str, one: str) -> list[str]:
    """Names from a text file: the first column (tab or comma) of each line, `#` starts a comment; each name once.

    Parameters
    ----------
    what
        What messages call the file: "gene list".
    one
        What stands on a line: "gene name".

    Raises
    ------
    InputError
        If there is no such file, it is not text, or holds no name.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise InputError(f"there is no {what} '{path}'", f"give a text file with one {one} a line") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"'{path}' cannot be read as a {what}: {error}", "give a plain text file") from None
    cells = (line.split("#")[0].replace("\t", ",").split(",")[0].strip().strip('"') for line in lines)
    names = [cell for cell in cells if cell]
    if not names:
        raise InputError(f"the {what} '{path}' is empty", f"give a text file with one {one} a line")
    return list(dict.fromkeys(names))
