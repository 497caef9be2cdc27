"""Settings: every field of a task is written once, with default, bounds, unit and help.

From one settings class come the command's flags, the widget's form, the run folder's config file and the
reference page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticUndefined

from .accelerator import device_kind
from .errors import InputError

PresetName = Literal["auto", "paper", "small"]


def setting(
    default: Any = PydanticUndefined,
    *,
    help: str,
    unit: str | None = None,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    advanced: bool = False,
    positional: bool = False,
) -> Any:
    """A field of a settings class.

    Parameters
    ----------
    default
        Its default; none makes the field required.
    help
        One line that a biologist understands.
    unit
        Unit of the value ("um", "px", "spots"), shown beside it.
    ge, gt, le, lt
        Bounds.
    advanced
        Folded away in forms, listed last in help.
    positional
        A positional argument on the command line.
    """
    extra: dict[str, Any] = {"unit": unit, "advanced": advanced, "positional": positional}
    return Field(default, description=help, json_schema_extra=extra, ge=ge, gt=gt, le=le, lt=lt)


@dataclass(frozen=True)
class SettingInfo:
    """What a form, a flag or the reference page needs to know of one field."""

    name: str
    annotation: Any
    default: Any
    required: bool
    help: str
    unit: str | None
    advanced: bool
    positional: bool
    bounds: Mapping[str, float]


class TaskSettings(BaseModel):
    """The settings of one task; frozen, unknown names refused. Field defaults are the paper's values."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=False, allow_inf_nan=False)

    task: ClassVar[str] = ""
    presets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}

    @classmethod
    def resolve(cls, **explicit: Any) -> Self:
        """Apply the preset, then what the user gave explicitly.

        Raises
        ------
        InputError
            If a value is out of bounds, of another type, missing or of an unknown name; all faults at once.
        """
        values = dict(explicit)
        if "preset" in cls.model_fields:
            name = values.get("preset", "auto")
            if name == "auto":
                name = default_preset(str(values.get("device", "auto")))
            values = {**cls.presets.get(name, {}), **explicit, "preset": name}
        try:
            return cls(**values)
        except ValidationError as error:
            raise _as_input_error(cls, error) from None

    @classmethod
    def fields_info(cls) -> list[SettingInfo]:
        """Every field in order, as forms, flags and the reference page need it."""
        return [_info(name, field) for name, field in cls.model_fields.items()]


def default_preset(device: str) -> Literal["paper", "small"]:
    """`paper` on a GPU, `small` on a CPU; found without importing torch."""
    return "small" if device_kind(device) == "cpu" else "paper"


def _info(name: str, field: Any) -> SettingInfo:
    extra = field.json_schema_extra or {}
    bounds = {key: getattr(m, key) for m in field.metadata for key in ("ge", "gt", "le", "lt") if hasattr(m, key)}
    return SettingInfo(
        name=name,
        annotation=field.annotation,
        default=None if field.is_required() else field.get_default(call_default_factory=True),
        required=field.is_required(),
        help=field.description or "",
        unit=extra.get("unit"),
        advanced=bool(extra.get("advanced")),
        positional=bool(extra.get("positional")),
        bounds=bounds,
    )


def _as_input_error(cls: type[TaskSettings], error: ValidationError) -> InputError:
    parts = []
    for fault in error.errors():
        place = ".".join(str(p) for p in fault["loc"])
        if fault["type"] == "missing":
            parts.append(f"{place} is missing")
        elif fault["type"] == "extra_forbidden":
            parts.append(f"there is no setting {place!r}")
        else:
            text = fault["msg"].removeprefix("Value error, ")
            said = text[0].lower() + text[1:]
            # a rule between settings names them itself: what it was given is all of them
            parts.append(f"{place} = {fault['input']!r}: {said}" if fault["loc"] else said)
    hint = f"see 'c2lst {cls.task} --help'" if cls.task else ""
    return InputError("; ".join(parts), hint)


class DeviceSettings(TaskSettings):
    """What every task that computes shares."""

    preset: PresetName = setting(
        "auto", help="paper = the values of the paper, small = a CPU's values, auto = paper on a GPU and small on a CPU"
    )
    device: str = setting("auto", help="where to compute: auto, cpu, cuda, cuda:1, mps")
    precision: Literal["auto", "fp32", "bf16"] = setting(
        "auto", help="number format of the network; auto = bf16 where the device has it", advanced=True
    )
    seed: int = setting(0, help="the same seed gives the same result", ge=0)
    workers: int | None = setting(
        None, help="threads for reading patches; none = one for each core", ge=1, advanced=True
    )


class RunSettings(DeviceSettings):
    """What every task that writes a run folder shares."""

    out: Path = setting(help="the run folder to write")
    resume: str = setting(
        "auto", help="auto = go on where this run folder stopped, never = refuse to, or the path of a checkpoint"
    )
