"""From a request body to one SQL statement."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from warehouse.registry.schema import AXES
from warehouse.serve.body import Body, Filter
from warehouse.serve.columns import Output, Rules, Source, named, visible
from warehouse.serve.conditions import Conditions
from warehouse.serve.refused import crash, database_error
from warehouse.serve.served import Kind, ServedTable, ServedView
from warehouse.storage.quoting import quoted


@dataclass(frozen=True)
class Statement:
    """A compiled query.

    Attributes:
        sql: the SELECT for DuckDB.
        parameters: values for its placeholders.
        kinds: kind of each column that the SELECT returns, by name.
        column_names: the `column_names` header: table to column to name in the answer.
        resolution: the resolution in which positions are given.
        limit: the effective row limit, which a full answer may have hit; None for a count.
    """

    sql: str
    parameters: list[Any]
    kinds: dict[str, Kind]
    column_names: dict[str, dict[str, str]]
    resolution: tuple[float, float, float]
    limit: int | None


@dataclass(frozen=True)
class Options:
    """What the query string adds to the body.

    Attributes:
        count: return the number of rows instead of the rows.
        sample: percentage of the rows to draw at random.
        wide: keep floats 64 bit wide, as the road by way of CSV does.
    """

    count: bool = False
    sample: float | None = None
    wide: bool = False


def compile_query(sources: Sequence[Source], body: Body, rules: Rules, options: Options) -> Statement:
    """Compile a query over one table or view, or over two that are joined."""
    outputs = named(sources, body, rules)
    sent = visible(outputs, joined=len(sources) > 1)
    _refuse_one_column(sent, rules)
    fields = _fields(sent, body.resolution, rules, options.wide)
    chosen = ", ".join(f"{expression} AS {quoted(name)}" for name, (expression, _) in fields.items())
    kinds = {name: kind for name, (_, kind) in fields.items()}
    names: dict[str, dict[str, str]] = {}
    for output in outputs:
        names.setdefault(output.source.served.name, {})[output.column.name] = output.name
    resolution = body.resolution or sources[0].served.resolution
    rows, parameters = _rows(sources, body.filters, rules, options.sample)
    if options.count:
        return Statement(
            f"SELECT count(*) AS count {rows}", parameters, {"count": Kind.BIG_INTEGER}, names, resolution, None
        )
    sql = f"SELECT {chosen} {rows}"
    limit = rules.cap if body.limit is None else min(body.limit, rules.cap)
    if limit < 0 or body.offset < 0:
        clause = "LIMIT" if limit < 0 else "OFFSET"
        raise database_error(f"{clause} must not be negative", sql)
    sql += f" ORDER BY {_order(sources, body, rules, chosen)} LIMIT {limit} OFFSET {body.offset}"
    return Statement(sql, parameters, kinds, names, resolution, limit)


def _refuse_one_column(sent: Sequence[Output], rules: Rules) -> None:
    """The real server crashes when exactly one scalar column is asked for."""
    if rules.faithful and len(sent) == 1 and sent[0].column.kind is not Kind.POINT:
        only = sent[0]
        raise crash(f"'{only.source.served.type_name(only.column)}' object has no attribute '{only.column.name}'")


def _fields(
    sent: Sequence[Output], resolution: tuple[float, float, float] | None, rules: Rules, wide: bool
) -> dict[str, tuple[str, Kind]]:
    """SQL expression and kind of each column on the wire."""
    fields: dict[str, tuple[str, Kind]] = {}
    for output in sent:
        if output.column.kind is Kind.POINT:
            fields.update(_point(output, resolution, rules))
        else:
            fields[output.name] = (_scalar(output, wide), output.column.kind)
    return fields


def _scalar(output: Output, wide: bool) -> str:
    served, name = output.source.served, output.column.name
    reference = f"{output.source.alias}.{quoted(name)}"
    if output.column.kind is Kind.FLOAT:
        type_ = "DOUBLE" if wide or isinstance(served, ServedView) else "FLOAT"
        return f"CASE WHEN NOT isnan({reference}) THEN {reference}::{type_} END"
    prefix = name.removesuffix("_root_id").removesuffix("_supervoxel_id")
    if isinstance(served, ServedTable) and prefix in served.bound_points and prefix != name:
        # No segmentation row reads as 1; a point outside the segmentation is 0.
        return f"coalesce({reference}, 1)"
    return reference


def _point(
    output: Output, resolution: tuple[float, float, float] | None, rules: Rules
) -> dict[str, tuple[str, Kind]]:
    """The three columns of a point, in the resolution asked for.

    The real server sends whole numbers whatever the resolution; otherwise a point in another
    resolution is a number with decimals.
    """
    fields = {}
    own = output.source.served.resolution
    for axis, native, desired in zip(AXES, own, resolution or own, strict=True):
        expression = f"{output.source.alias}.{quoted(f'{output.column.name}_{axis}')}"
        kind, type_ = Kind.INTEGER, "INTEGER"
        if native != desired and rules.faithful:
            factor = f"{Decimal(repr(native / desired)):f}"  # multiplied as a decimal, then read as a double
            expression = f"trunc(({expression}::DECIMAL(16, 0) * {factor}::DECIMAL(22, 17))::DOUBLE)"
        elif native != desired:
            kind, type_ = Kind.FLOAT, "DOUBLE"
            expression = f"{expression}::DOUBLE * {native!r} / {desired!r}"
        fields[f"{output.name}_{axis}"] = (f"CAST({expression} AS {type_})", kind)
    return fields


def _rows(
    sources: Sequence[Source], filters: Sequence[Filter], rules: Rules, sample: float | None
) -> tuple[str, list[Any]]:
    """The FROM and WHERE clauses, with their parameters."""
    base = sources[0]
    clauses = f"FROM {base.relation} AS {base.alias}"
    for other in sources[1:]:
        clauses += (
            f" JOIN {other.relation} AS {other.alias} "
            f"ON {base.alias}.{quoted(base.key)} = {other.alias}.{quoted(other.key)}"
        )
    by_name = {source.served.name: source for source in sources}
    conditions = Conditions(rules.faithful, lambda reason: database_error(reason, f"SELECT * {clauses}"))
    tests: list[str] = []
    parameters: list[Any] = []
    for condition in filters:
        source = by_name.get(condition.table)
        if source is None:
            raise crash(f"'{condition.table}'")
        test, values = conditions.sql(source.alias, source.served, condition)
        if condition.operator == "notin" and rules.faithful:
            continue  # read and then forgotten by the real server
        tests.append(test)
        parameters += values
    tests += [f"{source.alias}.valid" for source in sources if source.served.has_valid]
    if sample is not None:
        # The real server draws whole pages of the table; neighbours come together.
        page = 64 if rules.faithful else 1
        tests.append(f"hash({base.alias}.id // {page}, {rules.seed}) % 1000000 < {sample * 10_000:f}")
    return f"{clauses} WHERE {' AND '.join(tests)}" if tests else clauses, parameters


def _order(sources: Sequence[Source], body: Body, rules: Rules, chosen: str) -> str:
    """Stable by id; on a faithful server an order that changes with limit, offset and columns."""
    has_id = all(source.served.column("id") for source in sources)
    if rules.faithful:
        plan = zlib.crc32(f"{rules.seed} {body.limit} {body.offset} {chosen}".encode())
        keys = [f"{source.alias}.id" if has_id else source.alias for source in sources]
        return f"hash({', '.join(keys)}, {plan})"
    return ", ".join(f"{source.alias}.id" for source in sources) if has_id else "ALL"
