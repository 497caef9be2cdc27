"""The network at work: fast maps of many images, the same for any number of them at a time."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from napari_c2lst.common.device import autocast_dtype, halve_on_out_of_memory, resolve_device
from napari_c2lst.common.reporter import Reporter

from .density import AS_IT_IS, lightened
from .facts import CellFacts, Density
from .quick import folded, to_device
from .weights import CellModel


@dataclass(frozen=True, eq=False)
class Maps:
    """What post-processing needs, for n images.

    Attributes
    ----------
    types
        (n, h, w) uint8 most probable type; None without types.
    prob
        (n, h, w) float32, probability to be of a nucleus.
    horizontal, vertical
        (n, h, w) float32.
    """

    types: NDArray[np.uint8] | None
    prob: NDArray[np.float32]
    horizontal: NDArray[np.float32]
    vertical: NDArray[np.float32]

    def __len__(self) -> int:
        """Number of images."""
        return len(self.prob)


class NucleusNet:
    """A HoVer-Net ready to compute: on its device, in its number format, in as few passes as can be (see `quick`).

    Parameters
    ----------
    model
        The weights.
    device, precision
        As in `DeviceSettings`.
    batch
        Images that go through the network together. The last ones are filled up to as many, so that no result depends
        on how many images there are; where memory is too small, it is halved once and for all. A CPU takes one at a
        time: more would not be faster, and what a network has in hand grows with each.
    density
        Factors on the optical density of what it sees, see `lightened`.
    """

    def __init__(
        self,
        model: CellModel,
        device: str = "cpu",
        precision: str = "auto",
        batch: int = 1,
        density: Density = AS_IT_IS,
    ) -> None:
        self.facts: CellFacts = model.facts
        self.content_hash = model.content_hash
        self.device = resolve_device(device)
        self.dtype = autocast_dtype(self.device, precision) or torch.float32
        self.batch, self.density = 1 if self.device.type == "cpu" else batch, density
        self._net = to_device(folded(model.net), self.device, self.dtype)

    def maps(self, images: NDArray[np.uint8], reporter: Reporter | None = None) -> Maps:
        """Maps of images.

        Parameters
        ----------
        images
            (n, px, px, 3) uint8 RGB, of a size the network can take.

        Returns
        -------
        Maps
            Of `output_px(mode, px)` pixels.
        """
        return halve_on_out_of_memory(lambda batch: self._maps(images, batch), self.batch, reporter or Reporter())

    @torch.inference_mode()
    def _maps(self, images: NDArray[np.uint8], batch: int) -> Maps:
        self.batch = batch
        parts = [self._some(images[i : i + batch], batch) for i in range(0, len(images), batch)]
        types = [part.types for part in parts if part.types is not None]
        return Maps(
            np.concatenate(types) if types else None,
            np.concatenate([part.prob for part in parts]),
            np.concatenate([part.horizontal for part in parts]),
            np.concatenate([part.vertical for part in parts]),
        )

    def _some(self, images: NDArray[np.uint8], batch: int) -> Maps:
        n = len(images)
        filled = np.zeros((batch, *images.shape[1:]), np.uint8)
        filled[:n] = lightened(images, self.density)
        x = torch.from_numpy(filled).to(self.device).permute(0, 3, 1, 2)  # batch 3 px px, channels last
        raw = self._net(x.to(self.dtype).contiguous(memory_format=torch.channels_last))
        prob = torch.softmax(raw["np"][:n].float(), dim=1)[:, 1]
        hv = raw["hv"][:n].float()
        types = raw["tp"][:n].argmax(dim=1).to(torch.uint8) if "tp" in raw else None
        horizontal, vertical = hv.unbind(1)
        whole = None if types is None else types.cpu().numpy()
        return Maps(whole, prob.cpu().numpy(), horizontal.cpu().numpy(), vertical.cpu().numpy())
