"""Which columns a query returns, from which table, and under which names."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from warehouse.serve.body import Body
from warehouse.serve.refused import crash
from warehouse.serve.served import Kind, Served, ServedColumn, ServedTable


@dataclass(frozen=True)
class Rules:
    """How queries are answered.

    Attributes:
        faithful: reproduce the real server's bugs.
        cap: most rows in one answer.
        seed: decides the order of what has no order on a faithful server; new with each start.
    """

    faithful: bool = False
    cap: int = 200_000
    seed: int = field(default_factory=lambda: random.getrandbits(32))


@dataclass(frozen=True)
class Source:
    """A table or view of a query.

    Attributes:
        served: what is queried.
        relation: the SQL that stands for its rows.
        alias: its name within the statement.
        suffix: what distinguishes its columns from those of the other source.
        key: the column it is joined on.
    """

    served: Served
    relation: str
    alias: str = "t0"
    suffix: str = ""
    key: str = ""


@dataclass(frozen=True)
class Output:
    """One column of the answer, before points are split."""

    source: Source
    column: ServedColumn
    name: str


def _blocks(sources: Sequence[Source], rules: Rules) -> list[Source]:
    """The order of a join's column blocks: as asked, or on a faithful server as a set would have it."""
    if not rules.faithful:
        return list(sources)
    return sorted(sources, key=lambda source: zlib.crc32(f"{rules.seed}{source.served.name}".encode()))


def _column(served: Served, name: str) -> ServedColumn | None:
    return ServedColumn(name, Kind.DATE_TIME) if name in served.hidden else served.column(name)


def _with_supervoxels(served: Served, names: Sequence[str]) -> list[str]:
    """Asking for a root id brings its supervoxel id along."""
    bound = served.bound_points if isinstance(served, ServedTable) else ()
    wanted: dict[str, None] = {}
    for name in names:
        prefix = name.removesuffix("_root_id")
        if prefix != name and prefix in bound:
            wanted[f"{prefix}_supervoxel_id"] = None
        wanted[name] = None
    return list(wanted)


def named(sources: Sequence[Source], body: Body, rules: Rules) -> list[Output]:
    """The columns of a query with the names they get; a suffix only where two would be the same."""
    if body.select is not None and len(sources) > 1:
        return _by_list(_blocks(sources, rules), sources[0], body.select)
    wanted = [(source, _wanted(source, body, len(sources) > 1)) for source in _blocks(sources, rules)]
    if body.select_map is not None:
        position = list(body.select_map)
        wanted = sorted((pair for pair in wanted if pair[1]), key=lambda pair: position.index(pair[0].served.name))
    names = [column.name for _, columns in wanted for column in columns]
    return [
        Output(source, column, column.name + source.suffix if names.count(column.name) > 1 else column.name)
        for source, columns in wanted
        for column in columns
    ]


def _wanted(source: Source, body: Body, joined: bool) -> list[ServedColumn]:
    served = source.served
    if body.select_map is not None:
        names = _with_supervoxels(served, body.select_map.get(served.name, []))
    else:
        names = _all(served) if body.select is None else _with_supervoxels(served, body.select)
    columns = []
    for name in names:
        column = _column(served, name)
        if column is None and joined:
            raise crash(f"400 Bad Request: column {name} not found in {served.name}")
        if column is None:
            raise crash(f"{name} not in model or models for {served.name}")
        columns.append(column)
    return columns


def _all(served: Served) -> list[str]:
    """All columns, with the hidden ones after `created`, where the server keeps them."""
    names = [column.name for column in served.columns]
    place = names.index("created") + 1 if served.hidden else 0
    return [*names[:place], *served.hidden, *names[place:]]


def _by_list(blocks: Sequence[Source], base: Source, names: Sequence[str]) -> list[Output]:
    """A plain list on a join: each name goes to the first table that has it, bare or with its suffix."""
    outputs: dict[str, Output] = {}
    for name in names:
        candidates = [(source, "") for source in blocks] + [(source, source.suffix) for source in blocks]
        for source, suffix in candidates:
            bare = name.removesuffix(suffix)
            if _column(source.served, bare) is not None:
                outputs |= _suffixed(source, bare, name[len(bare) :])
                break
        else:
            raise crash(f"{name} not in model or models for {base.served.name}")
    return list(outputs.values())


def _suffixed(source: Source, name: str, suffix: str) -> dict[str, Output]:
    """A column and what it brings along, by the name in the answer."""
    columns = {added: _column(source.served, added) for added in _with_supervoxels(source.served, [name])}
    return {added + suffix: Output(source, column, added + suffix) for added, column in columns.items() if column}


def visible(outputs: Sequence[Output], joined: bool) -> list[Output]:
    """The columns that are sent: never `deleted`, and no `superceded_id` from a join."""
    return [
        output
        for output in outputs
        if output.column.name not in output.source.served.hidden
        and not (joined and output.column.name == "superceded_id")
    ]
