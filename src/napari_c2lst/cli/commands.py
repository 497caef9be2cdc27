"""A task of the registry as a command: its flags, its help, and what happens when it is called."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from napari_c2lst.common.errors import InputError, Stopped
from napari_c2lst.common.kinds import flag_name
from napari_c2lst.common.settings import TaskSettings
from napari_c2lst.jobs.tasks import Task

from .console import make_reporter, show_result
from .flags import FieldArgument, FieldOption, explicit_values, help_of, parameters
from .interrupts import PoliteStop, command_to_go_on

SHOW_SETTINGS, AS_JSON, EVENTS = "show_settings", "as_json", "event_lines"


class TaskCommand(click.Command):
    """The command of a task.

    Parameters
    ----------
    task
        The task; its settings class is imported here, its work only when it is run.
    """

    def __init__(self, task: Task) -> None:
        self.task = task
        self.settings_class = task.settings_class()
        super().__init__(
            task.name,
            params=[*parameters(self.settings_class), *_common_options()],
            help=task.summary,
            short_help=task.summary,
            callback=self._call,
        )

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """'c2lst adapt SLIDE [OPTIONS]'."""
        places = [p.make_metavar(ctx) for p in self.params if isinstance(p, FieldArgument)]
        formatter.write_usage(ctx.command_path, " ".join([*places, "[OPTIONS]"]))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Arguments, what is required, settings, advanced settings, and what every command has."""
        options = [p for p in self.params if isinstance(p, FieldOption)]
        arguments = [
            (p.make_metavar(ctx), help_of(p.field, self.settings_class))
            for p in self.params
            if isinstance(p, FieldArgument)
        ]
        sections = {
            "What": arguments,
            "Needed": [_row(p, ctx) for p in options if p.field.required],
            "Settings": [_row(p, ctx) for p in options if not p.field.required and not p.field.advanced],
            "Advanced settings": [_row(p, ctx) for p in options if not p.field.required and p.field.advanced],
            "Every command has": [_row(p, ctx) for p in self.params if not isinstance(p, (FieldOption, FieldArgument))],
        }
        for title, rows in sections.items():
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows, col_max=34)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """An example that works."""
        with formatter.section("Example"):
            formatter.write_text(self.task.example)

    def _call(self, **_values: Any) -> int:
        context = click.get_current_context()
        if context.params[EVENTS]:
            return self._serve_events(context)
        settings = self._settings(context)
        if context.params[SHOW_SETTINGS]:
            click.echo(settings.model_dump_json(indent=2))
            return 0
        with PoliteStop(saves="resume" in self.settings_class.model_fields) as stop:
            try:
                with make_reporter(stop.asked) as reporter:
                    result = self.task.run(settings, reporter)
            except Stopped as error:
                raise self._how_to_go_on(error, context.find_root().obj) from error
        show_result(result, as_json=context.params[AS_JSON])
        return result.exit_code

    def _settings(self, context: click.Context) -> TaskSettings:
        values = explicit_values(context)
        required = [f for f in self.settings_class.fields_info() if f.required and f.name not in values]
        if required:
            names = ", ".join(f.name.upper() if f.positional else flag_name(f.name) for f in required)
            raise InputError(f"'c2lst {self.task.name}' needs {names}", f"for example: {self.task.example}")
        return self.settings_class.resolve(**values)

    def _how_to_go_on(self, error: Stopped, arguments: Sequence[str]) -> Stopped:
        if "resume" not in self.settings_class.model_fields:
            return error
        return Stopped(error.message, f"to go on: {command_to_go_on(arguments)}", error.checkpoint)

    def _serve_events(self, context: click.Context) -> int:
        from napari_c2lst.jobs.child import own_stdout, serve

        def work(reporter: Any) -> Any:
            return self.task.run(self._settings(context), reporter)

        return serve(self.task.name, work, own_stdout(), sys.stdin)


def _common_options() -> list[click.Parameter]:
    return [
        click.Option(
            ["--show-settings", SHOW_SETTINGS], is_flag=True, help="show the settings as JSON and run nothing"
        ),
        click.Option(["--json", AS_JSON], is_flag=True, help="give the result as JSON on standard output"),
        click.Option(
            ["--events", EVENTS],
            type=click.Choice(["json"]),
            help="for programs: every event as a line of JSON on standard output",
        ),
    ]


def _row(parameter: click.Parameter, ctx: click.Context) -> tuple[str, str]:
    return parameter.get_help_record(ctx) or ("", "")
