"""Weights of HoVer-Net: official checkpoints, those of TIAToolbox, and ours (safetensors with their facts)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from napari_c2lst.common.errors import InputError, MismatchError, first_line
from napari_c2lst.common.files import atomic_file, content_hash

from .facts import (
    CELLS_FILE,
    EMBEDDED,
    FACTS_KEY,
    FACTS_VERSION,
    PANNUKE,
    PANNUKE_LICENCE,
    PANNUKE_NOTICE,
    PANNUKE_TYPES,
    PICKLES,
    CellFacts,
    default_types,
    embedded_file,
    facts_of_header,
    listed,
    read_type_info,
    with_types,
)
from .fetching import HUB_FILE, HUB_ID, fetch_pannuke, is_fetched
from .network import KERNEL, HoVerNet, Mode

# parts of a module that some converted checkpoints lack: they say nothing about the weights
_UNIMPORTANT = ("num_batches_tracked", "upsample2x.unpool_mat")
_ADVICE = "Weights only load failed"


@dataclass(frozen=True, eq=False)
class CellModel:
    """A HoVer-Net and what is known of it.

    Attributes
    ----------
    net
        In evaluation mode, on the CPU, in fp32.
    facts
        Mode, types, microns per pixel, licence.
    content_hash
        'sha256:...' of the file it was read from.
    """

    net: HoVerNet
    facts: CellFacts
    content_hash: str


def load_hovernet(
    path: str | Path,
    *,
    type_info: Path | None = None,
    mode: Mode | None = None,
    nr_types: int | None = None,
    allow_download: bool = False,
    accept_licence: bool = False,
) -> CellModel:
    """Load weights.

    Parameters
    ----------
    path
        A file (official `.tar`, TIAToolbox `.pth`, our `.safetensors`), a run folder of `c2lst train-cells`,
        `embedded` for the narrow network of the package, or `pannuke` for the public PanNuke weights.
    type_info
        A type_info.json with names and colours of the types; None: those of the file, else the default ones.
    mode, nr_types
        What the weights must be; None accepts any.
    allow_download, accept_licence
        Both are needed to fetch `pannuke`; nothing is fetched without.

    Raises
    ------
    InputError
        If there are no such weights, the file holds something else, or a download was not asked for.
    MismatchError
        If the weights are of another mode, have other types, or other shapes; says which.
    """
    file = find_weights(path, allow_download=allow_download, accept_licence=accept_licence)
    state, facts = _read_fetched(file) if is_fetched(path) else _read(file)
    facts = facts or _facts_of_state(state, file)
    _refuse_others(facts, mode, nr_types)
    if type_info is not None:
        facts = with_types(facts, read_type_info(type_info))
    net = HoVerNet(facts.mode, facts.nr_types, facts.width)
    _fill(net, state, file)
    return CellModel(net.eval().requires_grad_(False), facts, content_hash([file.read_bytes()]))


def save_hovernet(net: HoVerNet, facts: CellFacts, file: Path, *, half: bool = False) -> Path:
    """Write weights with their facts as safetensors, whole or not at all.

    Parameters
    ----------
    half
        Store as float16: half the size; loading widens them again.
    """
    from safetensors.torch import save_file

    if (facts.mode, facts.nr_types, facts.width) != (net.mode, net.nr_types, net.width):
        raise ValueError("the facts are those of another network")
    tensors = {
        name: (value.half() if half and value.is_floating_point() else value).detach().cpu().contiguous().clone()
        for name, value in net.state_dict().items()
    }
    body = {"version": FACTS_VERSION, "facts": facts.model_dump(mode="json")}
    with atomic_file(file) as temporary:
        save_file(tensors, temporary, metadata={FACTS_KEY: json.dumps(body)})
    return file


def find_weights(path: str | Path, *, allow_download: bool = False, accept_licence: bool = False) -> Path:
    """The file of weights; see `load_hovernet`.

    Raises
    ------
    InputError
        If there is none, or it would have to be downloaded and may not be.
    """
    if str(path) == EMBEDDED:
        return embedded_file()
    if is_fetched(path):
        return fetch_pannuke(allow_download, accept_licence)
    file = Path(path)
    if file.is_dir():
        file = file / CELLS_FILE
    if not file.is_file():
        raise InputError(
            f"there are no weights '{path}'",
            f"give a HoVer-Net checkpoint, the --out of 'c2lst train-cells', '{EMBEDDED}' or '{PANNUKE}'",
        )
    return file


def _read_fetched(file: Path) -> tuple[dict[str, Tensor], CellFacts | None]:
    """`_read` of what came from the network; where it cannot be read it is not kept, to be fetched anew next time."""
    try:
        return _read(file)
    except InputError as error:
        stored = file.resolve()  # the cache keeps a link to it
        for each in (file, stored):
            each.unlink(missing_ok=True)
        raise InputError(
            f"what came from {HUB_ID} as '{HUB_FILE}' is no checkpoint and was thrown away",
            "run the same command again, or fetch the file yourself and give its path",
        ) from error


def _read(file: Path) -> tuple[dict[str, Tensor], CellFacts | None]:
    """The state dict of a file under official names, and our facts where they are in it."""
    if file.suffix in PICKLES:
        return _state_of(_read_pickle(file), file), None
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            facts = facts_of_header(opened.metadata() or {}, file)
            return {name: opened.get_tensor(name) for name in opened.keys()}, facts  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"the weights '{file}' cannot be read: {first_line(error)}",
            f"give a safetensors file, or a checkpoint ({', '.join(PICKLES)})",
        ) from error


def _read_pickle(file: Path) -> Any:
    """What `torch.save` wrote, as far as it is tensors and plain containers."""
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a damaged or foreign file makes torch stumble over
        said = first_line(error)
        # torch's own words then are the advice to open it all the same and let it run what it likes
        why = "" if said.startswith(_ADVICE) else f": {said}"
        raise InputError(
            f"the checkpoint '{file}' cannot be read as plain weights{why}",
            "it is damaged, or holds more than tensors, which could run code: save its state dict alone",
        ) from error


def _state_of(body: Any, file: Path) -> dict[str, Tensor]:
    """The tensors of a checkpoint: under "desc" in official ones; without the "module." of parallel training."""
    state = body.get("desc", body) if isinstance(body, Mapping) else None
    if not isinstance(state, Mapping) or not state or not all(isinstance(v, Tensor) for v in state.values()):
        raise InputError(
            f"'{file}' holds no state dict", 'a HoVer-Net checkpoint holds one, at the top or under "desc"'
        )
    if all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): value for name, value in state.items()}
    return dict(state)


def _facts_of_state(state: Mapping[str, Tensor], file: Path) -> CellFacts:
    """Mode, types and width as the shapes of weights tell them."""
    try:
        kernel = state["decoder.np.u3.conva.weight"].shape[-1]
        width = state["conv0./.weight"].shape[0] / 64
    except KeyError as error:
        raise MismatchError(
            f"'{file}' holds no HoVer-Net: it has no {error.args[0]!r}, but {listed(list(state))}",
            "give weights of HoVer-Net (Graham et al. 2019) under their official names",
        ) from None
    except IndexError:
        raise MismatchError(f"'{file}' holds no HoVer-Net: a weight of it is one number", "give others") from None
    modes: dict[int, Mode] = {size: name for name, size in KERNEL.items()}  # type: ignore[misc]
    if kernel not in modes:
        raise MismatchError(
            f"decoder.np.u3.conva.weight of '{file}' has a kernel of {kernel} px: neither fast (3) nor original (5)",
            "give weights of one of these modes",
        )
    tp = state.get("decoder.tp.u0.conv.weight")
    nr_types = None if tp is None else int(tp.shape[0])
    if not 0 < width <= 4 or nr_types == 1:
        raise MismatchError(
            f"'{file}' holds no HoVer-Net: {64 * width:.0f} channels of its first layer, {nr_types} types",
            "the official network has 64 channels there, and at least background and one type",
        )
    types = default_types(nr_types)
    pannuke = types == PANNUKE_TYPES
    return CellFacts(
        mode=modes[kernel],
        nr_types=nr_types,
        width=width,
        types=types,
        name=file.name,
        licence=PANNUKE_LICENCE if pannuke else "",
        notice=f"six types are taken as PanNuke's; {PANNUKE_NOTICE}" if pannuke else "",
    )


def _refuse_others(facts: CellFacts, mode: Mode | None, nr_types: int | None) -> None:
    if mode is not None and facts.mode != mode:
        raise MismatchError(
            f"the weights '{facts.name}' are of mode '{facts.mode}', not '{mode}'", f"give weights of mode '{mode}'"
        )
    if nr_types is not None and facts.nr_types != nr_types:
        has = "no types" if facts.nr_types is None else f"{facts.nr_types} types with background"
        raise MismatchError(f"the weights '{facts.name}' have {has}, not {nr_types}", "give other weights")


def _fill(net: HoVerNet, state: Mapping[str, Tensor], file: Path) -> None:
    """Load a state dict; every name and shape must be the network's."""
    wanted = net.state_dict()
    given = {name: value.to(wanted[name].dtype) if name in wanted else value for name, value in state.items()}
    for name, value in wanted.items():
        if name.endswith(_UNIMPORTANT):
            given.setdefault(name, value)
    shapes = [
        f"{name} is {tuple(given[name].shape)}, not {tuple(wanted[name].shape)}"
        for name in wanted
        if name in given and given[name].shape != wanted[name].shape
    ]
    missing = [name for name in wanted if name not in given]
    unknown = [name for name in given if name not in wanted]
    faults = [
        f"{what}: {listed(names)}"
        for what, names in (("other shapes", shapes), ("missing", missing), ("not of this network", unknown))
        if names
    ]
    if faults:
        raise MismatchError(
            f"the weights '{file}' do not fit a HoVer-Net of mode '{net.mode}'; {'; '.join(faults)}",
            "give weights of the official architecture",
        )
    net.load_state_dict(given, strict=True)
