"""The reference page of all settings, made from the settings classes: ``python -m napari_c2lst.cli.reference``.

``--check`` writes nothing and fails when `docs/settings.md` is not up to date.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from napari_c2lst.common.kinds import flag_name, is_sequence, is_structured, item_type, strip_optional
from napari_c2lst.common.settings import SettingInfo, TaskSettings
from napari_c2lst.jobs.tasks import TASKS, Task

from .flags import bounds_text, metavar_of_argument, ordered_fields
from .flags import show_value as shown

PAGE = Path("docs") / "settings.md"
_HEAD = """\
# Settings

<!-- made by `make docs` from the settings classes; edit those, not this page -->

Every setting has one name in Python (`patch_um`), on the command line (`--patch-um`) and in a run folder's
`config.toml`. Where two defaults stand, the first is the preset `paper` (the default on a GPU), the second the preset
`small` (the default on a CPU); what you give yourself always wins. `c2lst COMMAND --show-settings ...` shows what a
command line comes to.
"""
_KINDS = {int: "whole number", float: "number", str: "text", Path: "path", bool: "yes / no"}


def reference_page() -> str:
    """The whole page as Markdown."""
    return "\n".join([_HEAD, *(_section(task) for task in TASKS.values())])


def _section(task: Task) -> str:
    cls = task.settings_class()
    fields = ordered_fields(cls)
    plain = [f for f in fields if not f.advanced]
    advanced = [f for f in fields if f.advanced]
    parts = [f"## {task.name}\n\n{task.summary}\n\n```console\n$ {task.example}\n```\n", _table(plain, cls)]
    if advanced:
        parts.append(f"### {task.name}: advanced\n\n{_table(advanced, cls)}")
    return "\n".join(parts)


def _table(fields: list[SettingInfo], cls: type[TaskSettings]) -> str:
    rows = [_row(field, cls) for field in fields]
    return "\n".join(["| setting | value | default | meaning |", "|---|---|---|---|", *rows]) + "\n"


def _row(field: SettingInfo, cls: type[TaskSettings]) -> str:
    name = metavar_of_argument(field) if field.positional else flag_name(field.name)
    cells = [f"`{name}`", _value_text(field), _default_text(field, cls), field.help]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _value_text(field: SettingInfo) -> str:
    kind = strip_optional(field.annotation)
    unit = f" in {field.unit}" if field.unit else ""
    bounds = ", ".join(part for part in bounds_text(field).split(", ") if part and not part.startswith("in "))
    return _kind_text(kind) + unit + (f", {bounds}" if bounds else "")


def _kind_text(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(kind))
    if is_sequence(kind):
        item = item_type(kind)
        return f"some of {_kind_text(item)}" if get_origin(item) is Literal else f"list of {_KINDS.get(item, 'value')}s"
    return "JSON" if is_structured(kind) else _KINDS.get(kind, "value")


def _default_text(field: SettingInfo, cls: type[TaskSettings]) -> str:
    if field.required:
        return "**needed**"
    values = [cls.presets.get(name, {}).get(field.name, field.default) for name in ("paper", "small")]
    texts = [shown(None if value in ((), [], "", {}) else value, field.unit) for value in values]
    return texts[0] if texts[0] == texts[1] else f"{texts[0]} / {texts[1]}"


def main(arguments: list[str] | None = None) -> int:
    """Write the page, or check it; the exit code is 1 when it is not up to date."""
    parser = argparse.ArgumentParser(prog="python -m napari_c2lst.cli.reference", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the page is not up to date")
    parser.add_argument("--page", type=Path, default=PAGE, help=f"the page (default: {PAGE})")
    options = parser.parse_args(arguments)
    page = reference_page()
    if options.check:
        same = options.page.exists() and options.page.read_text(encoding="utf-8") == page
        print(f"{options.page}: {'up to date' if same else 'not up to date: run make docs'}")
        return 0 if same else 1
    options.page.parent.mkdir(parents=True, exist_ok=True)
    options.page.write_text(page, encoding="utf-8")
    print(f"{options.page} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
