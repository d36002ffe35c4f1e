"""`microns describe`: what there is to ask, and what each name means."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from warehouse.commands.options import TABLE, Datastack, Output, Root, Version
from warehouse.commands.render import print_rows
from warehouse.query.session import connect
from warehouse.registry.datastacks import DEFAULT_DATASTACK


def describe(
    name: Annotated[
        str | None,
        Parameter(help="A view (cells), a macro (layer_of) or a CAVE table (synapses_pni_2). If not given: all."),
    ] = None,
    /,
    *,
    output: Output = TABLE,
    version: Version = None,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
) -> None:
    """Without a name, list all views and macros, a line each. With a name, say what its rows and columns mean.

    A view is asked with FROM cells. A macro takes arguments in parentheses: FROM input_synapses(250721).
    With --csv or --json only the columns are printed, not the text about the rows.
    """
    form = output.form
    with connect(version, root, datastack) as warehouse:
        frame = warehouse.describe(name)
        if name and form == "table":
            print(f"{warehouse.about(name)}\n")
        print_rows(frame.columns, frame.rows(), form)
