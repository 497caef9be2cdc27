"""Stain normalisation of H&E patches against a reference.

>>> normalizer = StainNormalizer("macenko").fit(reference)          # (H, W, 3) or (N, H, W, 3) uint8
>>> slide = normalizer.estimate(tissue_patches)                     # once per slide
>>> patches = normalizer.transform(patches, slide)                  # thousands at a time
>>> normalizer.reference                                            # plain numbers, stored with a model

Arrays are worked on by numpy; a torch tensor is worked on by torch where it lies, and comes back as a tensor there.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FiniteFloat

from napari_c2lst.common.errors import InputError
from napari_c2lst.slides.stain import reinhard, separation

from .batches import blank, checked, is_tensor, part_by_part
from .colour import Floats, Pixels

if TYPE_CHECKING:
    from torch import Tensor

Method: TypeAlias = Literal["macenko", "vahadane", "reinhard"]
Backend: TypeAlias = Literal["ours", "staintools"]
Row: TypeAlias = tuple[FiniteFloat, FiniteFloat, FiniteFloat]
StainValues: TypeAlias = tuple[Row, Row]

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
        images = checked(patches)
        flat = images.reshape(1, -1, 3)
        flat = flat[:, :: max(1, -(-flat.shape[1] // _ESTIMATE_PIXELS))]
        nothing = flat.shape[1] == 0 or bool(blank(flat)[0])
        values, found = (np.ones((1, 2, 3), np.float32), [False]) if nothing else self._kit.estimate(flat)
        if not found[0]:
            raise InputError(
                f"no stained tissue in the {len(images)} image(s) given for stain estimation",
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
        given = None if slide_values is None else tensors.numbers(slide_values, patches)[None]
        return tensors.transform(self.method, patches, given, tensors.numbers(self.reference.values, patches))

    def _arrays(self, patches: Pixels, slide_values: StainValues | None) -> tuple[Pixels, NDArray[np.bool_]]:
        target = np.array(self.reference.values, np.float32)
        given = None if slide_values is None else np.array(slide_values, np.float32)[None]

        def painted(pixels: Pixels) -> tuple[Pixels, NDArray[np.bool_]]:
            source, found = self._kit.estimate(pixels) if given is None else (given, np.ones(len(pixels), bool))
            return self._kit.paint(pixels, source, target), found

        return part_by_part(patches, painted)


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


def _rows(values: Floats) -> StainValues:
    first, second = ((float(row[0]), float(row[1]), float(row[2])) for row in values)
    return first, second
