"""`microns build` and `microns path`: the database of a warehouse."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import Annotated

from cyclopts import Parameter

from warehouse.catalog import build as database
from warehouse.catalog.settings import settings_sql
from warehouse.commands.options import Datastack, Memory, Root, versions_here
from warehouse.errors import WarehouseError
from warehouse.registry.datastacks import DEFAULT_DATASTACK
from warehouse.storage.memory import byte_count
from warehouse.storage.paths import Folder


def build(
    *,
    default: Annotated[
        int | None,
        Parameter(help="The version that names without a version answer from. If not given: as it was."),
    ] = None,
    memory: Memory = None,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Make the database anew from the files in the folder, and print its path.

    This takes seconds and loses nothing. After an upgrade some views may have to be computed again: that takes
    minutes if all 337 million synapses are here.
    """
    print(database.build(Folder.of(root, datastack), default=default, memory=byte_count(memory)))


def path(
    *,
    shell: Annotated[
        bool, Parameter(help="Print the line that opens the DuckDB shell on it, from any folder.")
    ] = False,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Print the path of the database, a file that any DuckDB opens."""
    folder = Folder.of(root, datastack)
    versions_here(folder)
    if not folder.database.is_file():
        raise WarehouseError(f"there is no database at {folder.database}; run: microns build")
    print(_shell_line(folder) if shell else folder.database)


def _shell_line(folder: Folder) -> str:
    """The line that opens the DuckDB shell, for a command prompt."""
    try:
        database.write_init_sql(folder)  # the folder may have been moved since it was built
        words = ["-init", str(folder.init_sql)]
    except OSError:  # a medium that cannot be written: the same settings in the line itself
        words = ["-cmd", settings_sql(folder.path, database.current_default(folder))]
    words = ["duckdb", "-readonly", *words, str(folder.database)]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)
