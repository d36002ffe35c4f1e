"""Which roots and ids say what of a base is no longer valid, and what became of the roots: asked of two row sets.

`dead` are the rows of the base that the version does not have as they are, `delta` those of the version that the
base does not have as they are. Both are small beside the tables; the base itself is read once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.storage.checksum import SUMMED
from warehouse.storage.lineage import write_lineage, write_list
from warehouse.storage.manifest import DataFile
from warehouse.storage.quoting import literals

_SIDES = SUMMED[1:]


@dataclass(frozen=True)
class Findings:
    """What a comparison found.

    Attributes:
        retired: lists roots that the base has and the version has not.
        dead: lists ids of dead rows that no retired root explains: synapses that had no root, for example.
        lineage: lists which root of the base became which root of the version.
        changed, removed: dead rows whose synapse the version has too, and those whose synapse it has not.
    """

    retired: list[DataFile]
    dead: list[DataFile]
    lineage: DataFile
    changed: int
    removed: int


def find_retired(
    con: duckdb.DuckDBPyConnection, directory: Path, files: Mapping[str, Sequence[Path]], version: int
) -> Findings:
    """Compare, and write the lists under `model/`.

    Args:
        con: a connection.
        directory: the version's folder, being put together.
        files: of `dead`, `delta` and `base`.
        version: whose rows `base` and `dead` are.
    """
    for name, paths in files.items():
        source = f"read_parquet([{literals(paths)}], hive_partitioning = false)"
        con.execute(f"CREATE VIEW {name} AS SELECT {', '.join(SUMMED)} FROM {source}")
    _retire(con)
    unexplained = " ".join(f"ANTI JOIN retired AS {side} ON {side}.root = dead.{side}" for side in _SIDES)
    ((changed, removed),) = con.execute(
        "SELECT count(*) FILTER (WHERE n.id IS NOT NULL), count(*) FILTER (WHERE n.id IS NULL) "
        "FROM dead AS d LEFT JOIN delta AS n ON n.id = d.id"
    ).fetchall()
    return Findings(
        retired=_unless_empty(
            directory, write_list(con, directory, "synapses_retired", "FROM retired", ("root",))
        ),
        dead=_unless_empty(
            directory, write_list(con, directory, "synapses_dead", f"SELECT id FROM dead {unexplained}", ("id",))
        ),
        lineage=write_lineage(con, directory, version, "dead", "delta"),
        changed=changed,
        removed=removed,
    )


def _retire(con: duckdb.DuckDBPyConnection) -> None:
    """Make the table `retired`: no row of the base with one of these roots is alive, and no new row has it.

    Most roots of dead rows live on: the axon that a retired cell received from, for example. So the base is only
    searched for those that no new row has.
    """
    con.execute(
        f"CREATE TABLE gone AS SELECT DISTINCT d.root FROM ({_both('dead')}) AS d "
        f"ANTI JOIN ({_both('delta')}) AS n ON n.root = d.root WHERE d.root NOT IN (0, 1)"
    )
    touching = " OR ".join(f"{side} IN (FROM gone)" for side in _SIDES)
    con.execute(
        f"CREATE TABLE living AS FROM (FROM base WHERE {touching}) AS b ANTI JOIN dead AS d ON d.id = b.id"
    )
    con.execute(f"CREATE TABLE retired AS FROM gone AS g ANTI JOIN ({_both('living')}) AS l ON l.root = g.root")


def _both(source: str) -> str:
    return " UNION ALL ".join(f"SELECT {side} AS root FROM {source}" for side in _SIDES)


def _unless_empty(directory: Path, file: DataFile) -> list[DataFile]:
    """A list without rows would only cost readers a join."""
    if file.rows:
        return [file]
    (directory / file.path).unlink()
    (directory / file.path).parent.rmdir()
    return []
