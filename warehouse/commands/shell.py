"""`microns shell`: the stock DuckDB shell on a warehouse or a bundle, read-only, with a greeting."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import sysconfig

from warehouse.catalog.refusal import scope_text
from warehouse.catalog.version_schema import search_path
from warehouse.commands.options import Bundle, Datastack, Root, Version
from warehouse.errors import WarehouseError
from warehouse.query.session import Warehouse, connect
from warehouse.registry.datastacks import DEFAULT_DATASTACK
from warehouse.storage.quoting import text_literal
from warehouse.storage.trust import was_built_here

_GREETING = """{title}, read-only.
{scope}
Three to begin with (end each question with a semicolon):

  FROM cells LIMIT 5;                  one row per nucleus: type, depth, layer, proofreading
  FROM {connections} LIMIT 5;{gap}connected pairs with number and size of their synapses
  FROM data_dictionary LIMIT 5;        what every view and column means, in which unit

.quit leaves.
"""
_CLOSED = "SET autoinstall_known_extensions = false; SET autoload_known_extensions = false"


def shell(
    bundle: Bundle = None,
    /,
    *,
    version: Version = None,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Open the DuckDB shell on a warehouse or a bundle, read-only.

    A bundle, and a warehouse that was not built on this machine, open in DuckDB's safe mode: neither their SQL nor
    yours reads or writes any other file. In a warehouse of your own, COPY ... TO writes files, as in every shell.
    """
    program = _program()
    with connect(version if bundle is None else bundle, root, datastack) as warehouse:
        database = bundle.expanduser().absolute() if bundle else warehouse.path / "microns.duckdb"
        greeting = _greeting(warehouse)
        setup = f"SET search_path = {text_literal(search_path(warehouse.version))};"
        folder = text_literal(str(warehouse.path if bundle is None else warehouse.path.parent))
        is_foreign = bundle is not None or not was_built_here(database)
    print(greeting, file=sys.stderr, flush=True)
    first = [f"SET GLOBAL file_search_path = {folder}; {setup}"]
    if is_foreign:
        allowed = f"SET allowed_directories = [{folder}]" if bundle is None else ""
        first += [f"{_CLOSED}; {allowed}", ".safe_mode"]
    command = [program, "-readonly", *(word for line in first for word in ("-cmd", line)), str(database)]
    if os.name == "nt":  # there, the shell would be a process that nobody waits for
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sys.exit(subprocess.run(command, check=False).returncode)
    os.execv(program, command)


def _greeting(warehouse: Warehouse) -> str:
    scope = warehouse.scope
    connections = "connections_typed" if scope == "cells" else "connections_proofread"
    gap = " " * (len("connections_proofread") + 2 - len(connections))
    return _GREETING.format(
        title=warehouse.manifest.title, scope=scope_text(warehouse.manifest), connections=connections, gap=gap
    )


def _program() -> str:
    """The shell that was installed with this package, or another on the path."""
    found = shutil.which("duckdb", path=sysconfig.get_path("scripts")) or shutil.which("duckdb")
    if found is None:
        raise WarehouseError(
            "the DuckDB shell is not here; install it with: pip install 'microns-warehouse[shell]', or ask in "
            "Python: warehouse.connect().sql(...)"
        )
    return found
