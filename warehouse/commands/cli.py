"""The `microns` command: each subcommand is one function call; standard output carries data only."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable
from importlib.metadata import version as installed
from pathlib import Path
from typing import Annotated

from cyclopts import App, CycloptsError, Parameter

from warehouse.commands.render import table_text
from warehouse.errors import ChecksFailed, ExitCode, WarehouseError
from warehouse.registry.datastacks import DEFAULT_DATASTACK
from warehouse.storage.manifest import DataFile
from warehouse.storage.paths import Folder

_INTERRUPTED = "interrupted; what was fetched is kept, the same command continues"

Root = Annotated[
    Path | None,
    Parameter(help="Where the data are; else $MICRONS_ROOT, else the platform's data folder."),
]
Datastack = Annotated[str, Parameter(help="CAVE's name of the dataset.")]

app = App(
    name="microns",
    help="A local warehouse of the MICrONS connectome: fetch a version once, then ask it anything, offline.",
    version=installed("microns-warehouse"),
    version_flags=["--version"],
    suppress_keyboard_interrupt=False,  # `main` has something to say about it
)
# Named by string, so that reading a warehouse never imports what fetches one.
app.command("ingest.demo:demo", name="demo", help="Try everything on a small synthetic volume; no account needed.")
app.command(
    "ingest.cli:snapshot",
    name="snapshot",
    help="Fetch a version into a warehouse: from CAVE, or without an account.",
)
app.command(
    "ingest.cli:versions",
    name="versions",
    help="""Which versions there are, and where each can be had.

    Of each place it shows what is there: `expired` is what CAVE answers for no more, and `?` a place that could
    not be asked. The archive and the Delta tables need no account; Delta tables hold synapses alone. Fetch a
    version with: microns snapshot VERSION.""",
)
app.command(
    "ingest.cli:selftest", name="selftest", help="A dozen harmless requests that show whether CAVE works for you."
)
app.command("ingest.get:get", name="get", help="Receive a bundle, from an address or a stick, and verify it.")
app.command("warehouse.commands.shell:shell", name="shell", help="The DuckDB shell on a warehouse or a bundle.")
app.command("warehouse.commands.doctor:doctor", name="doctor", help="What works on this machine, in ten seconds.")
app.command(
    "warehouse.commands.bundle:bundle", name="bundle", help="Make one DuckDB file for a class, or for a paper."
)
app.command(
    "warehouse.commands.docs:docs", name="docs", help="Write sql/README.md, the data dictionary of a checkout."
)


@app.command(version_flags=())
def build(
    *,
    default: Annotated[
        int | None, Parameter(help="The version that plain names answer from; if not given, it stays what it is.")
    ] = None,
    memory: Annotated[str | None, Parameter(help='Upper bound of the memory it takes, for example "4GB".')] = None,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Make microns.duckdb anew from what is in the folder, as after moving it.

    Takes seconds, and loses nothing. After an upgrade some views may have to be stored anew: minutes, if all 337
    million synapses are here.
    """
    from warehouse.catalog.build import build as build_database
    from warehouse.storage.memory import byte_count

    print(build_database(Folder.of(root, datastack), default=default, memory=byte_count(memory)))


@app.command(version_flags=())
def check(
    version: Annotated[int | None, Parameter(help="Which version; all of them if not given.")] = None,
    *,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Verify files against the manifest and rows against the rules. Prints the rows that break one."""
    from warehouse.commands.check import check as check_version

    folder = Folder.of(root, datastack)
    versions = _local_versions(folder) if version is None else [version]
    failed = 0
    for number in versions:
        for result in check_version(folder, number):
            print(result)
            failed += not result.ok
    if failed:
        raise ChecksFailed(f"{failed} checks failed in {folder.path}; what each means is in its line above")


@app.command(name="list", version_flags=())
def list_versions(*, root: Root = None, datastack: Datastack = DEFAULT_DATASTACK) -> None:
    """Show which versions are here, with their tables, synapse scope and bytes."""
    from warehouse.storage.manifest import read_manifest

    folder = Folder.of(root, datastack)
    rows: list[tuple[object, ...]] = []
    for version in _local_versions(folder):
        manifest = read_manifest(folder.manifest(version))
        for name, entry in sorted(manifest.tables.items()):
            base = f"v{entry.base.version}" if entry.base else None
            what = (name, entry.source, entry.scope, base, entry.rows, _bytes(entry.own_files))
            rows.append((version, manifest.time_stamp, *what))
        views = [file for entry in manifest.stored_views.values() for file in entry.own_files]
        rows.append((version, manifest.time_stamp, "(stored views)", *(None,) * 4, _bytes(views)))
        rows.append((version, manifest.time_stamp, "(all of it)", *(None,) * 4, _bytes(manifest.files)))
    print(table_text(("version", "time_stamp", "table", "source", "scope", "base", "rows", "bytes"), rows))


def _bytes(files: Iterable[DataFile]) -> int:
    return sum(file.bytes for file in files)


@app.command(version_flags=())
def diff(
    one: Annotated[int, Parameter(help="A version that is here.")],
    other: Annotated[int, Parameter(help="Another one.")],
    /,
    *,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Show how two versions differ: cells, rows of tables, proofreading, synapses, roots."""
    from warehouse.commands.diff import diff as diff_versions

    print("\n\n".join(diff_versions(Folder.of(root, datastack), one, other)))


@app.command(version_flags=())
def promote(
    version: Annotated[int, Parameter(help="A version that was fetched with --base.")],
    /,
    *,
    memory: Annotated[str | None, Parameter(help='Upper bound of memory, for example "4GB".')] = None,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Make a version a full copy that needs no other version; whole-table questions are then as fast as can be."""
    from warehouse.storage.memory import byte_count
    from warehouse.versions.promote_and_drop import promote as promote_version

    folder = Folder.of(root, datastack)
    promote_version(folder, version, byte_count(memory) if memory else None)
    print(folder.version(version))


@app.command(version_flags=())
def drop(
    version: Annotated[int, Parameter(help="A version that is here.")],
    /,
    *,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Delete a version, unless another one is stored against it or plain names answer from it."""
    from warehouse.versions.promote_and_drop import drop as drop_version

    freed = drop_version(Folder.of(root, datastack), version)
    print(f"microns: version {version} is gone; {freed / 1e6:,.1f} MB are free again", file=sys.stderr)


@app.command(version_flags=())
def describe(
    name: Annotated[str, Parameter(help="A view (cells), a macro (layer_of) or a CAVE table (synapses_pni_2).")],
    /,
    *,
    version: Annotated[int | None, Parameter(help="Of which version; of the default one if not given.")] = None,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Show what a view, macro or table holds, how it is called, and its columns with their units and meaning."""
    from warehouse.query.session import connect

    with connect(version, root, datastack) as warehouse:
        frame = warehouse.describe(name)
        print(f"{warehouse.about(name)}\n\n{table_text(frame.columns, frame.rows())}")


@app.command(version_flags=())
def cite(
    *names: Annotated[str, Parameter(help="Views and tables that were used; all tables that are here if none.")],
    bibtex: Annotated[bool, Parameter(negative=(), help="Print BibTeX.")] = False,
    version: Annotated[int | None, Parameter(help="Of which version; of the default one if not given.")] = None,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Show what to cite for the tables that were used, and where these come from."""
    from warehouse.catalog.build import current_default
    from warehouse.commands.cite import citation_bibtex, citation_text
    from warehouse.storage.manifest import read_manifest

    folder = Folder.of(root, datastack)
    _local_versions(folder)
    chosen = current_default(folder) if version is None else version
    folder.require_version(chosen)
    manifest = read_manifest(folder.manifest(chosen))
    print((citation_bibtex if bibtex else citation_text)(manifest, names))


@app.command(version_flags=())
def path(
    *,
    shell: Annotated[bool, Parameter(help="Print the line that opens the DuckDB shell on it.")] = False,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Print the path of microns.duckdb."""
    from warehouse.catalog.build import write_init_sql

    folder = Folder.of(root, datastack)
    _local_versions(folder)
    if not folder.database.is_file():
        raise WarehouseError(f"there is no database at {folder.database}; run: microns build")
    if shell:
        write_init_sql(folder)  # the folder may have been moved since it was built
    print(f'duckdb -readonly -init "{folder.init_sql}" "{folder.database}"' if shell else folder.database)


def _local_versions(folder: Folder) -> list[int]:
    """The versions that are here; none is an error that says how to get one."""
    if not (versions := folder.versions()):
        raise WarehouseError(
            f"there is no version in {folder.path}; fetch one with: microns snapshot 1718, or try: microns demo"
        )
    return versions


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code (see `warehouse.errors.ExitCode`)."""
    logging.basicConfig(level=logging.WARNING, format="microns: %(message)s", stream=sys.stderr)
    logging.getLogger("warehouse").setLevel(logging.INFO)
    logging.getLogger("ingest").setLevel(logging.INFO)
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
        sys.stdout.flush()
    except CycloptsError as error:
        command = " ".join(("microns", *(error.command_chain or ())))
        _leave(ExitCode.USAGE, f"{_one_line(str(error))}; see: {command} --help")
    except WarehouseError as error:
        _leave(error.exit_code, str(error))
    except KeyboardInterrupt:
        _leave(ExitCode.INTERRUPTED, _INTERRUPTED)
    except RuntimeError as error:
        if "Query interrupted" not in str(error):  # what DuckDB makes of Ctrl-C
            raise
        _leave(ExitCode.INTERRUPTED, _INTERRUPTED)
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ImportError as error:
        if error.name is None or error.name.split(".")[0] in {"warehouse", "ingest"}:
            raise
        _leave(
            ExitCode.USAGE,
            f"this needs the package {error.name}; install it with: pip install 'microns-warehouse[all]'",
        )


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(" .,")


def _leave(code: ExitCode, message: str) -> None:
    print(f"microns: error: {message}", file=sys.stderr)
    sys.exit(code)
