"""Which cells are meant: "proofread", "neurons" or ids, out of tables that are here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc

from ingest.job.scope import Reader, nucleus_roots, proofread_roots
from ingest.parts.wanted import ALTERNATIVE_POINTS, PROOFREADING
from warehouse.commands.options import ids_of
from warehouse.errors import SnapshotIncomplete, UsageError
from warehouse.registry.tables import NUCLEUS

Which = Literal["proofread", "neurons"] | tuple[int, ...]

_CLASSIFIER = "nucleus_ref_neuron_svm"
_SMALLEST_ROOT = 10**15
"""Nucleus ids have six digits, root ids eighteen."""


def which_cells(text: str, option: str, ask: Callable[[str, dict[str, str]], list[int]]) -> Which:
    """What a user wrote: a word, ids with commas or blanks between, a file of ids, a query, or a type of cells.

    Args:
        text: as it was written.
        option: where, for errors.
        ask: answers a query about the version with the ids in its first column; it needs tables that are here.

    Raises:
        UsageError: it is none of these, or no cell is meant.
    """
    if text == "proofread":
        return "proofread"
    if text == "neurons":
        return "neurons"
    words = text.replace(",", " ").split()
    if words and all(word.isascii() and word.isdigit() for word in words):
        return tuple(dict.fromkeys(map(int, words)))
    if Path(text).expanduser().is_file():
        return tuple(dict.fromkeys(ids_of(text, option)))
    if len(words) > 1 and words[0].upper() in ("SELECT", "FROM", "WITH"):
        found = ask(text, {})
    else:
        found = ask("SELECT pt_root_id FROM cells WHERE is_single_soma AND cell_type = $type", {"type": text})
    if not found:
        raise UsageError(
            f"{option} {text} names no cell; give ids with commas between, a file of ids, a cell type, a query in "
            "quotes (SELECT nucleus_id FROM cells WHERE ...), or the word proofread or neurons"
        )
    return tuple(dict.fromkeys(found))


def roots_of(which: Which, version: int, read: Reader) -> list[int]:
    """The segments of the cells that are meant, ascending.

    Raises:
        SnapshotIncomplete: the table that says so is not here.
        UsageError: a nucleus id is not there, or has no segment.
    """
    if which == "proofread":
        _require(version, "proofread", read, *PROOFREADING)
        return proofread_roots(read)
    if which == "neurons":
        _require(version, "neurons", read, NUCLEUS)
        return _neurons(read)
    nuclei = [id for id in which if id < _SMALLEST_ROOT]
    if nuclei:
        _require(version, ",".join(map(str, which)), read, NUCLEUS)
    known = _roots_by_nucleus(read) if nuclei else {}
    if lost := [id for id in nuclei if known.get(id, 0) <= 1]:
        raise UsageError(f"{lost[0]} is no nucleus of v{version} that lies in a segment; see the view cells")
    return sorted({known.get(id, id) for id in which})


def _require(version: int, which: str, read: Reader, *names: str) -> None:
    if all(read(name) is None for name in names):
        raise SnapshotIncomplete(
            f"v{version} here lacks {names[0]}, which says what cells there are; fetch it with: "
            f"microns snapshot {version} {names[0]} --skeletons {which}"
        )


def _neurons(read: Reader) -> list[int]:
    """The segments with a nucleus that the classifier calls a neuron; all with a nucleus where it is not here."""
    told = read(_CLASSIFIER)
    if told is None:
        return nucleus_roots(read)
    neurons = pc.filter(told["target_id"], pc.equal(told["cell_type"], "neuron"))
    known = _roots_by_nucleus(read)
    return sorted({root for id in neurons.to_pylist() if (root := known.get(id, 0)) > 1})


def _roots_by_nucleus(read: Reader) -> dict[int, int]:
    """The segment of each nucleus, under its better point where it has one."""
    known: dict[int, int] = {}
    for name, key in ((NUCLEUS, "id"), (ALTERNATIVE_POINTS, "target_id")):
        rows = read(name, [key, "pt_root_id"])
        if isinstance(rows, pa.Table):
            known.update(zip(rows[key].to_pylist(), rows["pt_root_id"].to_pylist(), strict=True))
    return known
