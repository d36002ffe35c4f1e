"""What spans versions: the same cell in each, how two of them differ, and what is said of tables and macros."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl

from tests.oracle import dataset
from tests.oracle.cells import cells
from tests.oracle.ids import Ids, roots
from tests.oracle.lineage import root_lineage
from tests.oracle.steps import knows_proofreading, nuclei, proofreading
from tests.oracle.tables import NUCLEI, SYNAPSES, Version, is_segment

SQL = Path(__file__).parents[2] / "sql"
KEYS = {"skeleton_vertices": ["pt_root_id", "vertex"]}
"""Of tables whose rows have no id."""
BOTH = ["version_a", "version_b"]


def pairs(version: Version) -> Iterator[tuple[Version, Version]]:
    yield from combinations([version.world[number] for number in sorted(version.world)], 2)


@cache
def id_map(version: Version) -> pl.DataFrame:
    return pl.concat(
        nuclei(each).select("nucleus_id", "pt_root_id", "pt_supervoxel_id", version=pl.lit(number, pl.Int64))
        for number, each in version.world.items()
        if NUCLEI in each.tables
    )


def root_id_changes(version: Version) -> pl.DataFrame:
    """Cell by cell, from which nuclei are on its two roots."""
    rows = []
    of_version = {number: _places(version, number) for number in version.world}
    for a, b in combinations(sorted(version.world), 2):
        before, after = of_version[a], of_version[b]
        for nucleus in sorted({*before, *after}):
            old, new = before.get(nucleus), after.get(nucleus)
            root_a, root_b = old and old[0], new and new[0]
            if root_a == root_b or not (_is_root(root_a) or _is_root(root_b)):
                continue
            change = "root changed"
            if old is None:
                change = "nucleus added"
            elif new is None:
                change = "nucleus removed"
            elif not _is_root(root_b):
                change = "root lost"
            elif not _is_root(root_a):
                change = "root gained"
            same = old[1] == new[1] if old and new else None
            rows.append((a, b, nucleus, root_a, root_b, same, change, _kind(nucleus, before, after)))
    schema: dict[str, Any] = dict.fromkeys([*BOTH, "nucleus_id", "pt_root_id_a", "pt_root_id_b"], pl.Int64)
    schema |= {"is_same_supervoxel": pl.Boolean, "change": pl.String, "kind": pl.String}
    return pl.DataFrame(rows, schema, orient="row")


Places = dict[int, tuple[int, int]]


def _places(version: Version, number: int) -> Places:
    rows = id_map(version).filter(pl.col("version") == number)
    return {
        nucleus: (root, supervoxel)
        for nucleus, root, supervoxel in rows.select("nucleus_id", "pt_root_id", "pt_supervoxel_id").iter_rows()
    }


def _is_root(root: int | None) -> bool:
    return root is not None and root > 1


def _kind(nucleus: int, before: Places, after: Places) -> str:
    """What the edits did, by the nuclei with which it shared, or shares, a root."""
    old, new = before.get(nucleus), after.get(nucleus)
    if new is None or not _is_root(new[0]):
        return "vanished"
    if old is None or not _is_root(old[0]):
        return "appeared"
    were = {other for other, place in before.items() if place[0] == old[0]}
    are = {other for other, place in after.items() if place[0] == new[0]}
    is_split = len({after[other][0] for other in were if other in after}) > 1
    is_merged = len({before[other][0] for other in are if other in before}) > 1
    if is_split and is_merged:
        return "split and merged"
    return "split" if is_split else "merged" if is_merged else "edited"


def cell_synapse_changes(version: Version) -> pl.DataFrame:
    rows = []
    for a, b in pairs(version):
        if not (SYNAPSES in a.tables and SYNAPSES in b.tables):
            continue
        moved = (
            nuclei(a)
            .join(nuclei(b), on="nucleus_id", suffix="_b")
            .filter(
                pl.col("pt_root_id") != pl.col("pt_root_id_b"),
                is_segment("pt_root_id"),
                is_segment("pt_root_id_b"),
            )
        )
        for nucleus, root_a, root_b in moved.select("nucleus_id", "pt_root_id", "pt_root_id_b").iter_rows():
            row: dict[str, Any] = {"version_a": a.number, "version_b": b.number, "nucleus_id": nucleus}
            for side, here, there in (("input", "post", "pre"), ("output", "pre", "post")):
                old, new = _ids(a, root_a, here, there), _ids(b, root_b, here, there)
                numbers = {"kept": len(old & new), "gained": len(new - old), "lost": len(old - new)}
                for what, number in numbers.items():
                    row[f"n_{side}_syn_{what}"] = number if old | new else None
            if any(value is not None for name, value in row.items() if name.startswith("n_")):
                rows.append(row)
    names = [f"n_{side}_syn_{what}" for side in ("input", "output") for what in ("kept", "gained", "lost")]
    return pl.DataFrame(rows, dict.fromkeys([*BOTH, "nucleus_id", *names], pl.Int64))


def _ids(version: Version, root: int, here: str, there: str) -> set[int]:
    """Synapses of a segment with other ones."""
    rows = version.tables[SYNAPSES].filter(pl.col(f"{here}_pt_root_id") == root)
    return set(rows.filter(~pl.col(f"{there}_pt_root_id").is_in([0, 1, root]))["id"])


def proofreading_changes(version: Version) -> pl.DataFrame:
    able = [
        each for _, each in sorted(version.world.items()) if knows_proofreading(each) and NUCLEI in each.tables
    ]
    said = {each.number: _assessed_cells(each) for each in able}
    every = sorted({nucleus for cells in said.values() for nucleus in cells})
    nobody = (None, None, None)
    rows = []
    for a, b in combinations(sorted(said), 2):
        for nucleus in every:
            axon_a, strategy_a, dendrite_a = said[a].get(nucleus, nobody)
            axon_b, strategy_b, dendrite_b = said[b].get(nucleus, nobody)
            change = _axon_change(bool(axon_a), bool(axon_b), strategy_a, strategy_b)
            if change is None and dendrite_a != dendrite_b:
                change = _without_axon(strategy_a, strategy_b)
            if change is not None:
                rows.append((a, b, nucleus, strategy_a, strategy_b, dendrite_a, dendrite_b, change))
    schema: dict[str, Any] = dict.fromkeys([*BOTH, "nucleus_id"], pl.Int64)
    words = ["strategy_axon_a", "strategy_axon_b", "strategy_dendrite_a", "strategy_dendrite_b", "change"]
    return pl.DataFrame(rows, schema | dict.fromkeys(words, pl.String), orient="row")


def _assessed_cells(version: Version) -> dict[int, tuple[Any, Any, Any]]:
    alone = nuclei(version).filter(pl.len().over("pt_root_id") == 1)
    rows = proofreading(version).join(alone, on="pt_root_id")
    columns = rows.select("nucleus_id", "status_axon", "strategy_axon", "strategy_dendrite")
    return {nucleus: tuple(rest) for nucleus, *rest in columns.iter_rows()}


def _axon_change(was: bool, now: bool, before: str | None, after: str | None) -> str | None:
    if now and not was:
        return "axon proofread"
    if was and not now:
        return "axon withdrawn"
    if was and before != after:
        return _without_axon(before, after, "other axon strategy")
    return None


def _without_axon(before: str | None, after: str | None, otherwise: str = "dendrite") -> str:
    """An axon that is fully extended in one of the two, and has another strategy in the other."""
    full = "axon_fully_extended"
    if before is None or after is None or before == after:
        return otherwise
    return "axon upgraded" if after == full else "axon downgraded" if before == full else otherwise


def table_changes(version: Version) -> pl.DataFrame:
    rows = []
    for a, b in pairs(version):
        for name in sorted({*a.tables, *b.tables}):
            here, there = a.tables.get(name), b.tables.get(name)
            n_a, n_b = (None if each is None else len(each) for each in (here, there))
            counts = (None, None, None) if here is None or there is None else _compared(name, here, there)
            rows.append((a.number, b.number, name, n_a, n_b, *counts))
    numbers = [*BOTH, "n_rows_a", "n_rows_b", "n_rows_added", "n_rows_removed", "n_rows_changed"]
    schema = {"version_a": pl.Int64, "version_b": pl.Int64, "table_name": pl.String}
    frame = pl.DataFrame(rows, schema | dict.fromkeys(numbers[2:], pl.Int64), orient="row")
    before, after = pl.col("n_rows_a"), pl.col("n_rows_b")
    added, changed = pl.col("n_rows_added"), pl.col("n_rows_changed")
    word = (
        pl.when(before.is_null()).then(pl.lit("appeared"))
        .when(after.is_null()).then(pl.lit("vanished"))
        .when(after > before).then(pl.lit("grew"))
        .when(after < before).then(pl.lit("shrank"))
        .when(added + changed > 0).then(pl.lit("changed"))
        .otherwise(pl.lit("same"))
    )  # fmt: skip
    scope = {f"scope_{x}": pl.when(n.is_not_null()).then(pl.lit("all")) for x, n in (("a", before), ("b", after))}
    return frame.with_columns(n_rows_more=after - before, change=word, **scope)


def _compared(name: str, a: pl.DataFrame, b: pl.DataFrame) -> tuple[int, int, int]:
    """Rows added, removed and changed, by their keys."""
    key = KEYS.get(name, ["id"])
    old, new = (
        {row[: len(key)]: row for row in each.select(*key, pl.exclude(key)).iter_rows()} for each in (a, b)
    )
    changed = sum(old[each] != new[each] for each in {*old} & {*new})
    return len({*new} - {*old}), len({*old} - {*new}), changed


def versions(version: Version) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "version": number,
            "is_default": number == min(version.world),
            "n_tables": len(each.tables),
            "synapse_scope": "all" if SYNAPSES in each.tables else None,
            "is_synthetic": True,
        }
        for number, each in version.world.items()
    )


def provenance(version: Version) -> pl.DataFrame:
    """Of the tables that are in any version here."""
    every = sorted({name for each in version.world.values() for name in each.tables})
    rows = []
    for number, each in version.world.items():
        for name in every:
            here = name in each.tables
            rows.append(
                {
                    "version": number,
                    "table_name": name,
                    "source": "synthetic" if here else None,
                    "scope": "all" if here else None,
                    "n_rows": len(each.tables[name]) if here else None,
                    "absent_reason": None if here else "not fetched",
                }
            )
    return pl.DataFrame(rows)


def table_catalog(version: Version) -> pl.DataFrame:
    every = sorted({name for each in version.world.values() for name in each.tables})
    here = [sorted(number for number, each in version.world.items() if name in each.tables) for name in every]
    return pl.DataFrame({"table_name": every, "local_versions": here, "reference_table": map(_reference, every)})


def _reference(name: str) -> str | None:
    """What `target_id` refers to: synapses for what they land on, nuclei for all else that has it."""
    if name.startswith("synapse_target"):
        return SYNAPSES
    own = {SYNAPSES, NUCLEI, "skeleton_vertices"}
    return None if name in own or "proofreading_status" in name else NUCLEI


def dataset_constants(_: Version) -> pl.DataFrame:
    rows: list[tuple[str, float | None, str, str | None]] = [
        ("rotation", 5.0, "deg", None),
        ("pia_y", dataset.PIA, "nm", None),
        *((f"voxel_{axis}", float(size), "nm", None) for axis, size in dataset.VOXEL.items()),
        *(
            (f"synapse detection {what}", share, "share", None)
            for what, share in (("precision", 0.96), ("recall", 0.89), ("partner assignment", 0.98))
        ),
        *((f"monitor {what}", size, "cm", None) for what, size in (("width", 55.2), ("height", 31.0))),
        ("monitor distance", 15.0, "cm", None),
    ]
    bottoms = [*dataset.FLAGSHIP.values(), None]
    for (layer, top), bottom in zip(
        zip([*dataset.FLAGSHIP, "WM"], [0.0, *bottoms[:-1]], strict=True), bottoms, strict=True
    ):
        rows += [(f"{layer} top", top, "um", "V1")]
        rows += [(f"{layer} bottom", bottom, "um", "V1")] if bottom is not None else []
    return pl.DataFrame(rows, ["name", "value", "unit", "visual_area"], orient="row")


def public_files() -> Iterator[tuple[str, str]]:
    """Names and texts of what users of a warehouse see."""
    for path in sorted(SQL.glob("*/*.sql")):
        if path.parent.name != "checks" and not path.name.startswith("_"):
            text = path.read_text()
            if "\n-- only: bundles" not in text:
                yield path.stem, text


def macros(_: Version) -> pl.DataFrame:
    """As the files say how each is called."""
    rows = []
    for name, text in public_files():
        if signature := re.search(r"^-- macro: (.+?)\n(?!--  )", re.sub(r"\n--  +", " ", text), re.MULTILINE):
            rows.append((name, signature[1]))
    return pl.DataFrame(rows, ["name", "signature"], orient="row")


def data_dictionary(version: Version) -> pl.DataFrame:
    """Comments behind items, of the names that plain questions reach."""
    rows = []
    for name, text in public_files():
        kind = "macro" if "\n-- macro:" in text else "view"
        body = text[text.rindex("\nSELECT") :]
        for item in re.finditer(r"(?:\bAS |\.)\"?(\w+)\"?,? -- (.+)$", body, re.MULTILINE):
            words, unit = re.fullmatch(r"(.*?)(?: \[([^\[\]]+)\])?", item[2]).groups()  # type: ignore[union-attr]
            rows.append(("main", name, kind, item[1], unit or "", words))
    names = ["schema", "name", "kind", "column", "unit", "description"]
    return pl.DataFrame(rows, names, orient="row")


def bundle_cells(version: Version, ids: Ids) -> pl.DataFrame:
    """All cells on the segments that were chosen, merged ones too."""
    chosen = cells(version).filter(pl.col("pt_root_id").is_in(roots(version, ids)))
    return chosen.select("nucleus_id", "pt_root_id", "cell_class", "cell_type")


OF_BUNDLES = {"bundle_cells": bundle_cells}
VIEWS = {
    "id_map": id_map,
    "root_id_changes": root_id_changes,
    "root_lineage": root_lineage,
    "cell_synapse_changes": cell_synapse_changes,
    "proofreading_changes": proofreading_changes,
    "table_changes": table_changes,
    "versions": versions,
    "provenance": provenance,
    "table_catalog": table_catalog,
    "dataset_constants": dataset_constants,
    "macros": macros,
    "data_dictionary": data_dictionary,
}
UNCHECKED = {
    "versions": ["time_stamp", "n_bytes"],
    "provenance": ["url", "source_sha256", "time_stamp", "fetched", "tools", "views_version", "is_synthetic"],
    "table_catalog": [
        *("role", "kind", "description", "schema_type", "key_columns", "since_version", "until_version"),
        *("voxel_sizes_nm", "notice", "warnings", "citations", "cite"),
    ],
    "dataset_constants": ["source"],
    "macros": ["returns", "description", "example"],
    "data_dictionary": ["type", "about"],
}
"""What only the manifests and the registry know; other tests read it."""
AMONG = {
    "provenance": ["table_name"],
    "table_catalog": ["table_name"],
    "data_dictionary": ["schema", "name", "column"],
}
"""Views with rows of more than the oracle knows: only rows with what it names are compared."""
