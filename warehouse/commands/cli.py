"""The `microns` command: what it can do, sorted by task. Standard output carries data only.

A command is named by a string and loaded when it is called, so help imports nothing heavy, and reading a warehouse
never imports what fetches one.
"""

from __future__ import annotations

import inspect
import logging
import os
import sys
from importlib.metadata import version as installed
from typing import Any, NamedTuple

from cyclopts import App, CycloptsError, Group, Parameter

from warehouse.errors import ExitCode, WarehouseError, without_secrets

_NOTHING_CHANGED = "nothing was changed"
_KEPT = "what was fetched is kept, the same command continues"
_WHOLE = "what is here is as it was before, or as it was to become; the same command continues"


class Command(NamedTuple):
    """A command as the first screen of help shows it.

    Attributes:
        name: what is typed after `microns`.
        target: module and function; its docstring is the help of the command.
        summary: what it does, in a line.
        examples: lines that work as they are; class.duckdb in them is a bundle.
        stopped: what is true after Ctrl-C.
    """

    name: str
    target: str
    summary: str
    examples: tuple[str, ...]
    stopped: str = _NOTHING_CHANGED


COMMANDS: dict[str, tuple[Command, ...]] = {
    "Try it": (
        Command(
            "demo",
            "ingest.demo:demo",
            "Make a small synthetic warehouse and ask it a few questions.",
            ("microns demo demo-data",),
            _KEPT,
        ),
    ),
    "Get data": (
        Command(
            "snapshot",
            "ingest.cli:snapshot",
            "Fetch a version. Stopped, the same line continues.",
            (
                "microns snapshot 1507 --source archive --synapses proofread",
                "microns snapshot 1718 --dry-run",
                "microns snapshot 1718 --base 1507",
            ),
            _KEPT,
        ),
        Command(
            "versions",
            "ingest.cli:versions",
            "Show which versions there are and where each can be had.",
            ("microns versions", "microns versions --csv"),
        ),
        Command(
            "get",
            "ingest.get:get",
            "Receive a bundle from an address or a USB stick, and verify it.",
            ("microns get class.duckdb --to copy",),
            "what came is kept as NAME.part, and the same command continues where the server lets it",
        ),
        Command(
            "list",
            "warehouse.commands.versions:list_versions",
            "Show the versions that are here, with rows and bytes.",
            ("microns list", "microns list --json"),
        ),
    ),
    "Ask": (
        Command(
            "query",
            "warehouse.commands.query:query",
            "Ask one question in SQL; the answer is a table, CSV, JSON or Parquet.",
            (
                'microns query "FROM cells LIMIT 5"',
                'microns query "SELECT layer, count(*) AS n FROM cells GROUP BY ALL" --json',
                'microns query "FROM connections_proofread" --parquet connections.parquet',
                'microns query "FROM cells LIMIT 5" class.duckdb --csv',
            ),
        ),
        Command(
            "describe",
            "warehouse.commands.describe:describe",
            "List all views and macros, or explain one.",
            ("microns describe", "microns describe cells", "microns describe input_synapses --json"),
        ),
        Command(
            "shell",
            "warehouse.commands.shell:shell",
            "Open the DuckDB shell to ask in SQL.",
            ("microns shell", "microns shell class.duckdb"),
        ),
        Command(
            "path",
            "warehouse.commands.database:path",
            "Print where the database is.",
            ("microns path", "microns path --shell"),
        ),
        Command(
            "diff",
            "warehouse.commands.diff:diff_versions",
            "Show how two versions differ.",
            ("microns diff 1507 1718", "microns diff 1507 1718 --csv"),
        ),
    ),
    "Keep and share": (
        Command(
            "bundle",
            "warehouse.commands.bundle:bundle",
            "Make one file for a class or a paper.",
            ("microns bundle class.duckdb", "microns bundle basket.duckdb --cell-type BC"),
            "no bundle was made, and a file of its name is as it was; the same command begins anew",
        ),
        Command(
            "cite",
            "warehouse.commands.cite:cite",
            "Print what to cite.",
            ("microns cite cells connections", "microns cite --bibtex"),
        ),
        Command(
            "build",
            "warehouse.commands.database:build",
            "Make the database anew, or change the default version.",
            ("microns build", "microns build --default 1718"),
            _WHOLE,
        ),
        Command(
            "promote",
            "warehouse.commands.versions:promote",
            "Make a version independent of the one it was stored against.",
            ("microns promote 1718",),
            _WHOLE,
        ),
        Command(
            "drop",
            "warehouse.commands.versions:drop",
            "Delete a version.",
            ("microns drop 1507",),
            _WHOLE,
        ),
        Command(
            "clean",
            "warehouse.commands.versions:clean",
            "Free at once the disk that older files take.",
            ("microns clean",),
            "what was removed is gone, nothing else was changed; the same command continues",
        ),
    ),
    "Help and checks": (
        Command(
            "doctor",
            "warehouse.commands.doctor:doctor",
            "Say what works on this machine, in ten seconds.",
            ("microns doctor", "microns doctor class.duckdb"),
        ),
        Command(
            "check",
            "warehouse.commands.check:check_versions",
            "Verify files and rows.",
            ("microns check", "microns check --quick", "microns check 1718 --json"),
            "nothing was changed, and what was not printed was not checked",
        ),
        Command(
            "repair",
            "ingest.cli:repair",
            "Heal what check finds: fetch and make again only what is damaged.",
            ("microns repair", "microns repair 1718"),
            "what was healed and fetched is kept, the same command continues",
        ),
        Command(
            "selftest",
            "ingest.cli:selftest",
            "Try your CAVE account with a dozen harmless requests.",
            ("microns selftest --live",),
            "no report was written",
        ),
    ),
}
"""By task, in the order of a first day; the first example of a task stands on the first screen."""

FOR_DEVELOPERS = (
    Command(
        "docs",
        "warehouse.commands.docs:docs",
        "Write the pages of a checkout that are made from the code.",
        ("microns docs --check",),
        "some pages may be written anew and others not; the same command completes them",
    ),
)
"""Not on the first screen."""


def _assembled() -> App:
    app = App(
        name="microns",
        help="The MICrONS connectome on your own machine: fetch a version once, then ask it in SQL, offline.",
        version=installed("microns-warehouse"),
        version_flags=["--version"],
        suppress_keyboard_interrupt=False,  # `main` has something to say about it
        help_format="plaintext",
        default_parameter=Parameter(negative=(), show_default=_default_text),
        group_parameters="Options",
    )
    for place, (task, commands) in enumerate(COMMANDS.items()):
        group = Group(task, help=f"For example: {commands[0].examples[0]}", sort_key=place)
        for number, command in enumerate(commands):
            _add(app, command, group=group, sort_key=number)
    for command in FOR_DEVELOPERS:
        _add(app, command, show=False)
    app["--help"].group = app["--version"].group = Group("Options", sort_key=len(COMMANDS))
    return app


def _default_text(value: object) -> str | None:
    """What is said of a default: nothing where there is none, or of an option that is off."""
    return None if value is None or value is False else str(value)


def _add(app: App, command: Command, **options: Any) -> None:
    examples = "\n".join(("For example:", *(f"  {example}" for example in command.examples)))
    options |= {"version_flags": (), "help_epilogue": examples}
    app.command(command.target, name=command.name, help=command.summary, **options)


app = _assembled()


class _Formatter(logging.Formatter):
    """Lines without the secrets that an address or a server's answer may hold."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return without_secrets(super().format(record))


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code (see `warehouse.errors.ExitCode`)."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("microns: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("warehouse").setLevel(logging.INFO)
    logging.getLogger("ingest").setLevel(logging.INFO)
    words = sys.argv[1:] if arguments is None else arguments
    try:
        _explain(words)
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError as error:
        command = " ".join(("microns", *(error.command_chain or ())))
        _leave(ExitCode.USAGE, f"{_one_line(str(error))}; see: {command} --help")
    except WarehouseError as error:
        _leave(error.exit_code, str(error))
    except KeyboardInterrupt:
        _leave(ExitCode.INTERRUPTED, _interrupted(words))
    except RuntimeError as error:
        if "Query interrupted" not in str(error):  # what DuckDB makes of Ctrl-C
            raise
        _leave(ExitCode.INTERRUPTED, _interrupted(words))
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ImportError as error:
        if error.name is None or error.name.split(".")[0] in {"warehouse", "ingest"}:
            raise
        _leave(
            ExitCode.USAGE,
            f"this needs the package {error.name}; install it with: pip install 'microns-warehouse[all]'",
        )


def _interrupted(arguments: list[str]) -> str:
    """What is true of the command that was stopped."""
    name = _command(arguments)
    every = (*(command for commands in COMMANDS.values() for command in commands), *FOR_DEVELOPERS)
    stopped = next((command.stopped for command in every if command.name == name), _NOTHING_CHANGED)
    return f"interrupted; {stopped}"


def _command(arguments: list[str]) -> str:
    return next((word for word in arguments if not word.startswith("-")), "")


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(" .,")


def _leave(code: ExitCode, message: str) -> None:
    print(f"microns: error: {message}", file=sys.stderr)
    sys.exit(code)


def _explain(arguments: list[str]) -> None:
    """Let the page of one command be its docstring; the summary is for the first screen."""
    name = _command(arguments)
    if name in app:
        command = app[name]
        text = inspect.getdoc(command.default_command) or ""
        command.help = "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
