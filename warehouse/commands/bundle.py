"""`microns bundle`: its options as a choice, and what it prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from warehouse.bundle.choice import Choice
from warehouse.commands.options import Datastack, Memory, Root, Version
from warehouse.errors import UsageError
from warehouse.registry.datastacks import DEFAULT_DATASTACK
from warehouse.storage.paths import Folder

_ID = re.compile(r"\d+")


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
    from warehouse.storage.manifest import sha256_of
    from warehouse.storage.memory import size_of

    choice = Choice(everything, proofread, _ids(cells), cell_type, column, _box(box))
    if not (everything or choice.has_cells):
        choice = Choice(proofread=True)
    make = make_parquet if parquet else make_bundle
    size = size_of(max_size, "--max-size")
    path = out.expanduser().absolute()
    make(Folder.of(root, datastack), version, choice, path, max_bytes=size, supervoxels=supervoxels, memory=memory)
    files = [file for file in path.rglob("*") if file.is_file()] if parquet else [path]
    n_bytes = sum(file.stat().st_size for file in files)
    sums = path / "SHA256SUMS" if parquet else path
    print(f"{path}\n{n_bytes / 1e6:,.1f} MB\nSHA-256 {sha256_of(sums)}{' of SHA256SUMS' if parquet else ''}")


def _ids(text: str | None) -> tuple[int, ...]:
    """Ids out of an option: numbers with commas, or a file of which the first column holds them."""
    if text is None:
        return ()
    path = Path(text).expanduser()
    words = [word.strip() for word in text.split(",")]
    if not all(map(_ID.fullmatch, words)):
        if not path.is_file():
            raise UsageError(f"--cells {text} is neither a list of ids with commas nor a file that is there")
        lines = [line.split(",")[0].strip().strip('"') for line in path.read_text("utf-8-sig").splitlines()]
        words = [word for number, word in enumerate(lines) if word and (number or _ID.fullmatch(word))]
    if wrong := next((word for word in words if not _ID.fullmatch(word)), None):
        raise UsageError(
            f"{wrong!r} in {path} is no id: root ids and nucleus ids are whole numbers, all digits written"
        )
    if not words:
        raise UsageError(f"there is no id in {path}")
    return tuple(map(int, words))


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
