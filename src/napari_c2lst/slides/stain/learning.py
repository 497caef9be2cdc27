"""Learning two stain colours from optical densities: a non-negative dictionary with sparse codes, many images at once.

Source: Vahadane et al., IEEE TMI 2016; updates as in Mairal et al., JMLR 2010, with all pixels in each round.
"""

import numpy as np
from numpy.typing import NDArray

from .colour import Floats

SPARSITY = 0.1  # weight of the l1 term
ROUNDS = 200
TOLERANCE = 1e-5  # an image is learned when no number of its atoms moves by more
_WORKING_BYTES = 2_000_000  # of what is at work at a time, so that it stays in the processor's cache


def learned_atoms(density: Floats, start: Floats) -> Floats:
    """Two atoms for each image: argmin_S sum_x min_c |x - c S|^2 / 2 + SPARSITY * sum(c), c >= 0, S >= 0, |S_k| <= 1.

    Every image stops when its own atoms do, so that they do not depend on the images beside it.

    Parameters
    ----------
    density
        (n, 3, P) optical densities, planes of one colour. Pixels that are zero have no code and do not count.
    start
        (n, 2, 3) atoms to begin with.

    Returns
    -------
    (n, 2, 3) float32.
    """
    atoms = np.array(start, np.float32)
    together = max(1, _WORKING_BYTES // max(1, 9 * 4 * density.shape[2]))
    for first in range(0, len(atoms), together):
        some = slice(first, first + together)
        atoms[some] = _learn(density[some], atoms[some])
    return atoms


def _learn(density: Floats, atoms: Floats) -> Floats:
    done = atoms.copy()
    moving = np.arange(len(atoms))
    codes, work = np.empty((2, len(atoms), 2, density.shape[2]), np.float32)
    for _ in range(ROUNDS):
        n = len(moving)
        sparse_codes(density, atoms, codes[:n], work[:n])
        better = better_atoms(density, codes[:n], atoms)
        still = np.abs(better - atoms).max(axis=(1, 2)) >= TOLERANCE
        atoms = better
        if still.all():
            continue
        done[moving] = atoms
        density, atoms, moving = density[still], atoms[still], moving[still]
        if not len(moving):
            break
    done[moving] = atoms
    return done


def sparse_codes(density: Floats, atoms: Floats, out: Floats, work: Floats) -> None:
    """Non-negative sparse codes of all pixels, exactly, as `separation.concentrations` has them.

    Parameters
    ----------
    density
        (n, 3, P).
    atoms
        (n, 2, 3) unit rows.
    out
        (n, 2, P) float32, filled with the codes.
    work
        (n, 2, P) float32, overwritten.
    """
    np.matmul(atoms, density, out=work)
    work -= np.float32(SPARSITY)
    np.matmul(unmixing(atoms), work, out=out)
    np.minimum(out, work, out=out)
    np.maximum(out, 0, out=out)


def unmixing(atoms: Floats) -> Floats:
    """What takes products with two unit atoms to least-squares codes: the inverse of their Gram matrix.

    Parameters
    ----------
    atoms
        (n, 2, 3) unit rows.

    Returns
    -------
    (n, 2, 2) float32; finite where the two are alike.
    """
    cosine = np.einsum("nc,nc->n", atoms[:, 0], atoms[:, 1])
    share = 1 / np.maximum(1 - cosine**2, 1e-6)
    inverse = np.empty((len(atoms), 2, 2), np.float32)
    inverse[:, 0, 0] = inverse[:, 1, 1] = share
    inverse[:, 0, 1] = inverse[:, 1, 0] = -cosine * share
    return inverse


def better_atoms(density: Floats, codes: Floats, atoms: Floats) -> Floats:
    """Block coordinate descent on both atoms (Mairal et al., algorithm 2): non-negative, at most of length 1.

    Parameters
    ----------
    density
        (n, 3, P).
    codes
        (n, 2, P).
    atoms
        (n, 2, 3), left as they are.

    Returns
    -------
    (n, 2, 3) float32.
    """
    gram = codes @ codes.swapaxes(1, 2)  # (n, 2, 2)
    cross = codes @ density.swapaxes(1, 2)  # (n, 2, 3)
    atoms = atoms.copy()
    for _ in range(3):
        for k in (0, 1):
            atoms[:, k] = _better_atom(gram[:, k], cross[:, k], atoms, k)
    return atoms


def _better_atom(gram: Floats, cross: Floats, atoms: Floats, k: int) -> Floats:
    weight = gram[:, k, None]
    used: NDArray[np.bool_] = weight > 1e-8
    slope = (cross - np.einsum("nj,njc->nc", gram, atoms)) / np.maximum(weight, 1e-8)
    atom = np.maximum(atoms[:, k] + slope, 0)
    atom /= np.maximum(np.linalg.norm(atom, axis=1, keepdims=True), 1)
    return np.where(used, atom, atoms[:, k])
