"""Stain normalisation of H&E patches against a reference.

>>> normalizer = StainNormalizer("macenko").fit(reference)          # (H, W, 3) or (N, H, W, 3) uint8
>>> slide = normalizer.estimate(tissue_patches)                     # once per slide
>>> patches = normalizer.transform(patches, slide)                  # thousands at a time
>>> normalizer.reference                                            # plain numbers, stored with a model

Arrays are worked on by numpy; a torch tensor is worked on by torch where it lies, and comes back as a tensor there.
"""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeGuard, overload

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FiniteFloat

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.stain import reinhard, separation

from .colour import LEAST_TISSUE, Floats, Pixels, stained

if TYPE_CHECKING:
    from torch import Tensor

Method: TypeAlias = Literal["macenko", "vahadane", "reinhard"]
Backend: TypeAlias = Literal["ours", "staintools"]
Row: TypeAlias = tuple[FiniteFloat, FiniteFloat, FiniteFloat]
StainValues: TypeAlias = tuple[Row, Row]

_CHUNK_PIXELS = 1 << 18  # at a time: what the caches hold
_LOOK = 8  # every so many pixels are looked at first, to tell whether a patch is blank
_ESTIMATE_PIXELS = 1 << 20  # of one image or slide: more do not change the second decimal


class StainReference(BaseModel):
    """What a normaliser has learned of its reference; plain numbers, the same after a round trip through JSON.

    Attributes
    ----------
    method
        How the values were found and are to be used.
    values
        Macenko and Vahadane: haematoxylin and eosin, each as optical density of R, G, B at the 99th percentile of its
        concentration. Reinhard: mean, then standard deviation of L*, a*, b*.
    name
        Where the reference came from, for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Method
    values: StainValues
    name: str = "reference"


class _Kit(NamedTuple):
    estimate: Callable[[Pixels], tuple[Floats, NDArray[np.bool_]]]
    paint: Callable[[Pixels, Floats, Floats], Pixels]


class StainNormalizer:
    """Bring patches to the stain of a reference.

    Parameters
    ----------
    method
        "macenko" (default), "vahadane" or "reinhard".
    backend
        "ours" works on whole batches; "staintools" calls staintools patch by patch, for comparison.
    """

    def __init__(self, method: Method = "macenko", *, backend: Backend = "ours") -> None:
        self.method, self.backend = method, backend
        self._kit = _kit(method, backend)
        self._reference: StainReference | None = None

    @classmethod
    def from_reference(cls, reference: StainReference, *, backend: Backend = "ours") -> "StainNormalizer":
        """A fitted normaliser from stored values."""
        normalizer = cls(reference.method, backend=backend)
        normalizer._reference = reference
        return normalizer

    @property
    def reference(self) -> StainReference:
        """The fitted reference; an InputError before `fit`."""
        if self._reference is None:
            raise InputError("the stain normaliser has no reference yet", hint="call fit(reference) first")
        return self._reference

    def fit(self, reference: Pixels, name: str = "reference") -> "StainNormalizer":
        """Learn the reference's stain.

        Parameters
        ----------
        reference
            (H, W, 3) or (N, H, W, 3) uint8: one image, or patches taken together.
        name
            For people; stored with the values.

        Returns
        -------
        self

        Raises
        ------
        InputError
            When the reference is blank.
        """
        self._reference = StainReference(method=self.method, values=self.estimate(reference), name=name)
        return self

    def estimate(self, patches: Pixels) -> StainValues:
        """Stain values of patches taken together, e.g. a sample of a slide's tissue.

        Parameters
        ----------
        patches
            (H, W, 3) or (N, H, W, 3) uint8.

        Returns
        -------
        The values, in the layout of `StainReference.values`.

        Raises
        ------
        InputError
            When there is no stained tissue in them.
        """
        flat = _checked(patches).reshape(1, -1, 3)
        flat = flat[:, :: max(1, -(-flat.shape[1] // _ESTIMATE_PIXELS))]
        blank = flat.shape[1] == 0 or bool(_blank(flat)[0])
        values, found = (np.ones((1, 2, 3), np.float32), [False]) if blank else self._kit.estimate(flat)
        if not found[0]:
            raise InputError(
                f"no stained tissue in the {len(_checked(patches))} image(s) given for stain estimation",
                hint="give patches of tissue, or switch stain normalisation off",
            )
        return _rows(values[0])

    @overload
    def transform(self, patches: Pixels, slide_values: StainValues | None = ...) -> Pixels: ...
    @overload
    def transform(
        self, patches: Pixels, slide_values: StainValues | None = ..., *, return_flags: Literal[True]
    ) -> tuple[Pixels, NDArray[np.bool_]]: ...

    @overload
    def transform(self, patches: "Tensor", slide_values: StainValues | None = ...) -> "Tensor": ...

    @overload
    def transform(
        self, patches: "Tensor", slide_values: StainValues | None = ..., *, return_flags: Literal[True]
    ) -> "tuple[Tensor, Tensor]": ...

    def transform(self, patches: Any, slide_values: StainValues | None = None, *, return_flags: bool = False) -> Any:
        """Normalise patches; the input is left as it is.

        Parameters
        ----------
        patches
            (N, H, W, 3) or (H, W, 3) uint8: an array, or a torch tensor on any device.
        slide_values
            From `estimate`, used for all patches; without them each patch is matched by itself.
        return_flags
            Also return which patches passed through unchanged.

        Returns
        -------
        patches
            uint8 of the same shape; a tensor lies where the input lay.
        unchanged
            (N,) bool: white, black or blank patches (under 1 % stained pixels, or one colour only).

        Raises
        ------
        InputError
            When they are no 8-bit RGB, or a tensor is given to the backend staintools.
        """
        transformed = self._tensors if is_tensor(patches) else self._arrays
        result, unchanged = transformed(patches, slide_values)
        return (result, unchanged) if return_flags else result

    def _tensors(self, patches: "Tensor", slide_values: StainValues | None) -> "tuple[Tensor, Tensor]":
        from . import tensors

        if self.backend != "ours":
            raise InputError(f"the backend {self.backend} takes arrays, no tensors", hint="pass patches.cpu().numpy()")
        if str(patches.dtype) != "torch.uint8" or patches.ndim not in (3, 4) or patches.shape[-1] != 3:
            raise _not_rgb(patches.dtype, tuple(patches.shape))
        target = patches.new_tensor(self.reference.values, dtype=tensors.NUMBERS)
        source = None if slide_values is None else patches.new_tensor(slide_values, dtype=tensors.NUMBERS)[None]
        result, unchanged = tensors.transform(
            self.method, patches if patches.ndim == 4 else patches[None], source, target
        )
        return result.reshape(patches.shape), unchanged

    def _arrays(self, patches: Any, slide_values: StainValues | None) -> tuple[Pixels, NDArray[np.bool_]]:
        target = np.array(self.reference.values, np.float32)
        given = None if slide_values is None else np.array(slide_values, np.float32)[None]
        batch = _checked(patches)
        flat = batch.reshape(len(batch), batch.shape[1] * batch.shape[2], 3)
        out, unchanged = flat.copy(), _blank(flat)
        todo = np.flatnonzero(~unchanged)
        step = max(1, _CHUNK_PIXELS // max(1, flat.shape[1]))
        for start in range(0, len(todo), step):
            part = todo[start : start + step]
            found = np.ones(len(part), bool)
            source = given
            if source is None:
                source, found = self._kit.estimate(flat[part])
            painted = self._kit.paint(flat[part], source, target)
            out[part[found]] = painted[found]
            unchanged[part] = ~found
        return out.reshape(np.shape(patches)), unchanged


def _kit(method: Method, backend: Backend) -> _Kit:
    kits = {
        "macenko": _Kit(separation.macenko_stains, separation.recolour),
        "vahadane": _Kit(separation.vahadane_stains, separation.recolour),
        "reinhard": _Kit(reinhard.lab_statistics, reinhard.transfer),
    }
    if method not in kits or backend not in ("ours", "staintools"):
        raise InputError(
            f"unknown stain method or backend: {method!r}, {backend!r}",
            hint=f"methods: {', '.join(kits)}; backends: ours, staintools",
        )
    if backend == "ours":
        return kits[method]
    from napari_c2lst.slides.stain import staintools_backend

    staintools_backend.check_installed()
    return _Kit(
        lambda pixels: staintools_backend.stains(method, pixels),
        lambda pixels, source, target: staintools_backend.transform(method, pixels, source, target),
    )


def is_tensor(patches: Any) -> "TypeGuard[Tensor]":
    """Whether it is a torch tensor; without torch there are none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(patches, torch.Tensor)


def _checked(patches: Any) -> Pixels:
    array = np.asarray(patches.cpu() if is_tensor(patches) else patches)
    if array.dtype != np.uint8 or array.ndim not in (3, 4) or array.shape[-1] != 3:
        raise _not_rgb(array.dtype, array.shape)
    return array if array.ndim == 4 else array[None]


def _not_rgb(dtype: Any, shape: tuple[int, ...]) -> InputError:
    return InputError(
        f"stain normalisation takes uint8 RGB (N, H, W, 3) or (H, W, 3), not {dtype} {shape}",
        hint="convert the image to 8-bit RGB",
    )


def _blank(flat: Pixels) -> NDArray[np.bool_]:
    """(n, P, 3) -> (n,): too little stained to say anything, or one colour all over."""
    blank = np.empty(len(flat), bool)
    step = max(1, _CHUNK_PIXELS // max(1, flat.shape[1]))
    for start in range(0, len(flat), step):
        blank[start : start + step] = _blank_part(flat[start : start + step])
    return blank


def _blank_part(flat: Pixels) -> NDArray[np.bool_]:
    needed = LEAST_TISSUE * flat.shape[1]
    # a look at some of the pixels nearly always shows enough that is stained and differs: the rest need not be seen
    few = flat[:, ::_LOOK]
    blank: NDArray[np.bool_] = (stained(few).sum(axis=1) < needed) | _flat_coloured(few)
    doubtful = flat[blank]
    blank[blank] = (stained(doubtful).sum(axis=1) < needed) | _flat_coloured(doubtful)
    return blank


def _flat_coloured(pixels: Pixels) -> NDArray[np.bool_]:
    channels = np.moveaxis(pixels, -1, 0)  # one after the other: several times faster than together
    alike: NDArray[np.bool_] = np.all([c.max(axis=1).astype(np.int16) - c.min(axis=1) <= 2 for c in channels], axis=0)
    return alike


def _rows(values: Floats) -> StainValues:
    first, second = ((float(row[0]), float(row[1]), float(row[2])) for row in values)
    return first, second
