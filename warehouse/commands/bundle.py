"""`microns bundle`: its options as a choice, and what it prints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from warehouse.bundle.choice import Choice
from warehouse.commands.options import Datastack, Memory, Root, Version, ids_of
from warehouse.errors import UsageError
from warehouse.registry.datastacks import DEFAULT_DATASTACK
from warehouse.storage.paths import Folder


def bundle(
    out: Annotated[
        Path, Parameter(help="The file to write, for example class.duckdb; one of that name is replaced.")
    ],
    /,
    *,
    proofread: Annotated[bool, Parameter(help="The outputs of all proofread axons. This is the default.")] = False,
    cells: Annotated[
        str | None,
        Parameter(help="All synapses of these cells: ids with commas between, or a file with an id on each line."),
    ] = None,
    cell_type: Annotated[str | None, Parameter(help="All synapses of cells of this type, for example BC.")] = None,
    column: Annotated[
        bool, Parameter(help="All synapses of the cells that experts typed in the V1 column.")
    ] = False,
    box: Annotated[
        str | None,
        Parameter(help="All synapses of the cells whose nucleus is in this box: X0,Y0,Z0,X1,Y1,Z1 [um]."),
    ] = None,
    everything: Annotated[bool, Parameter(help="All synapses that are here.")] = False,
    max_size: Annotated[str, Parameter(help="Stop if the file would be larger than this.")] = "1GB",
    supervoxels: Annotated[
        bool, Parameter(help="Keep supervoxel ids. Only CAVE can use them; they take a third more bytes.")
    ] = False,
    parquet: Annotated[
        bool, Parameter(help="Write a folder of Parquet files for R and others, not a database.")
    ] = False,
    trust: Annotated[
        bool, Parameter(help="Run the views of a warehouse that was not built on this machine.")
    ] = False,
    version: Version = None,
    root: Root = None,
    datastack: Datastack = DEFAULT_DATASTACK,
    memory: Memory = None,
) -> None:
    """Make one file for a class: all tables about cells, chosen synapses, every view. It needs nothing but DuckDB.

    Conditions on cells (--cells, --cell-type, --column, --box) can be combined: a cell must fulfil all of them. A
    view that the chosen synapses cannot answer says so. The path of the file, its size and its SHA-256, which
    `microns get` takes, are printed.
    """
    from warehouse.bundle.parquet import make_parquet
    from warehouse.bundle.write import make_bundle
    from warehouse.storage.manifest import NOT_BIOLOGY, sha256_of
    from warehouse.storage.memory import size_of

    choice = Choice(everything, proofread, ids_of(cells, "--cells"), cell_type, column, _box(box))
    if not (everything or choice.has_cells):
        choice = Choice(proofread=True)
    make = make_parquet if parquet else make_bundle
    size = size_of(max_size, "--max-size")
    path = out.expanduser().absolute()
    manifest = make(
        Folder.of(root, datastack),
        version,
        choice,
        path,
        max_bytes=size,
        supervoxels=supervoxels,
        memory=memory,
        trust=trust,
    )
    files = [file for file in path.rglob("*") if file.is_file()] if parquet else [path]
    n_bytes = sum(file.stat().st_size for file in files)
    sums = path / "SHA256SUMS" if parquet else path
    if manifest.synthetic:
        print(f"microns: mind: {out.name} is {NOT_BIOLOGY}: it is made from a demo", file=sys.stderr)
    print(f"{path}\n{n_bytes / 1e6:,.1f} MB\nSHA-256 {sha256_of(sums)}{' of SHA256SUMS' if parquet else ''}")


def _box(text: str | None) -> tuple[float, ...]:
    if text is None:
        return ()
    try:
        corners = tuple(float(word) for word in text.split(","))
    except ValueError:
        corners = ()
    if len(corners) != 6:
        raise UsageError(f"--box {text} is not a box; write two corners in micrometres: --box X0,Y0,Z0,X1,Y1,Z1")
    return corners
