"""Which synapses a bundle holds: outputs of proofread axons, all synapses of chosen cells, both, or everything.

All other tables are about cells; a bundle has them whole, so that cells are counted rightly whatever was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from warehouse.errors import UsageError
from warehouse.storage.quoting import empty_select, text_literal

_WIDER = "fetch all with: microns snapshot {version} --synapses all"
_CELLS = "fetch theirs with: microns snapshot {version} --synapses cells --cells IDS"


@dataclass(frozen=True)
class Choice:
    """What to put into a bundle. Conditions on cells narrow each other; without any, no cell is chosen.

    Attributes:
        everything: all synapses that the version has here.
        proofread: the outputs of all proofread axons.
        ids: of the cells, root ids or nucleus ids.
        cell_type: of the cells, as in `cells`.
        column: whether the cells are those that experts typed in the V1 column.
        box_um: two opposite corners (x0, y0, z0, x1, y1, z1) around the nuclei of the cells [um].
    """

    everything: bool = False
    proofread: bool = False
    ids: Sequence[int] = ()
    cell_type: str | None = None
    column: bool = False
    box_um: tuple[float, ...] = ()

    @property
    def has_cells(self) -> bool:
        """Whether cells are chosen."""
        return bool(self.ids or self.cell_type or self.column or self.box_um)

    def scope(self, here: str, version: int) -> str:
        """The scope of the bundle's synapses, made from synapses of the scope `here`.

        Raises:
            UsageError: they cannot be had from those, or the choice contradicts itself.
        """
        if self.everything:
            if self.proofread or self.has_cells:
                raise UsageError("--everything leaves nothing to choose; leave out the other choices")
            return here
        wider = _WIDER.format(version=version)
        if self.has_cells and here != "all" and "cells" not in here.split("+"):
            raise UsageError(
                f"version {version} here holds synapses of the scope {here!r}, in which inputs of the chosen "
                f"cells are missing; {_CELLS.format(version=version)}, or choose --proofread alone"
            )
        if self.proofread and here != "all" and "proofread" not in here.split("+"):
            raise UsageError(
                f"version {version} here holds synapses of the scope {here!r}, in which outputs of "
                f"proofread axons are missing; choose --everything, or {wider}"
            )
        parts = (("proofread", self.proofread), ("cells", self.has_cells))
        return "+".join(name for name, chosen in parts if chosen)

    def cells_sql(self) -> str:
        """A SELECT of the segments of the chosen cells, in the words of a version's views.

        An id that is not known, or that is no cell's, raises a sentence; cells that are found by a condition are
        those alone on their segment.
        """
        if not self.has_cells:
            return empty_select({"pt_root_id": "BIGINT"})
        conditions = " AND ".join(("c.is_single_soma", *self._conditions()))
        if not self.ids:
            return f"SELECT c.pt_root_id FROM cells AS c WHERE {conditions}"
        listed = (
            "SELECT CASE WHEN r.n_nuclei = 0 THEN error(r.root || ' has no nucleus, so it is no cell to choose') "
            f"ELSE r.root END AS pt_root_id FROM _roots([{', '.join(map(str, self.ids))}]) AS r"
        )
        if not self._conditions():
            return listed
        return f"SELECT l.pt_root_id FROM ({listed}) AS l JOIN cells AS c USING (pt_root_id) WHERE {conditions}"

    def _conditions(self) -> list[str]:
        found = []
        if self.cell_type:
            found.append(f"c.cell_type = {text_literal(self.cell_type)}")
        if self.column:
            found.append("c.cell_type_manual IS NOT NULL")
        if self.box_um:
            corners = zip(self.box_um[:3], self.box_um[3:], strict=True)
            found += [
                f"c.{axis}_nm >= {min(pair) * 1000} AND c.{axis}_nm < {max(pair) * 1000}"
                for axis, pair in zip("xyz", corners, strict=True)
            ]
        return found

    def __str__(self) -> str:
        """In words, for the bundle's provenance."""
        if self.everything:
            return "everything"
        words = ["the outputs of all proofread axons"] if self.proofread else []
        if self.has_cells:
            narrowed = [f"{len(self.ids)} listed"] if self.ids else []
            narrowed += [f"of type {self.cell_type}"] if self.cell_type else []
            narrowed += ["of the V1 column"] if self.column else []
            narrowed += [f"in the box {self.box_um} um"] if self.box_um else []
            words.append(f"all synapses of the cells {', '.join(narrowed)}")
        return " and ".join(words)
