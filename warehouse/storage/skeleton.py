"""Skeletons as rows: one for each vertex, with the way back to the soma."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from warehouse.errors import SchemaDrift
from warehouse.registry.tables import SKELETON, TABLES

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Skeleton:
    """The skeleton of one segment, as CAVE's skeleton service gives it.

    Attributes:
        pt_root_id: the segment.
        vertices_nm: positions in nm, shape (n, 3).
        edges: pairs of vertices, shape (m, 2), in either direction.
        radius_nm: radius of the process at each vertex, NaN where it is not known.
        compartment: CAVE's code of each vertex: 0 unknown, 1 soma, 2 axon, 3 dendrite, 4 apical dendrite.
        root: the vertex that stands for the soma.
    """

    pt_root_id: int
    vertices_nm: Floats
    edges: Ints
    radius_nm: Floats
    compartment: Ints
    root: int

    def rows(self) -> pa.Table:
        """One row per vertex, in the registry's columns.

        Raises:
            SchemaDrift: it is not a tree, or its parts do not fit together.
        """
        self._require_fit()
        parent, order = self._parents()
        length = np.zeros(len(parent))
        below = np.flatnonzero(parent >= 0)
        length[below] = np.linalg.norm(self.vertices_nm[below] - self.vertices_nm[parent[below]], axis=1)
        path, above = length.tolist(), parent.tolist()
        for vertex in order.tolist()[1:]:  # a parent comes before its children
            path[vertex] += path[above[vertex]]
        unreached = np.ones(len(parent), dtype=bool)
        unreached[order] = False
        x, y, z = np.rint(self.vertices_nm).astype(np.int64).T
        return pa.table(
            {
                "pt_root_id": np.full(len(parent), self.pt_root_id),
                "vertex": np.arange(len(parent), dtype=np.int64),
                "parent_vertex": pa.array(parent.astype(np.int64), mask=parent < 0),
                "x_nm": x,
                "y_nm": y,
                "z_nm": z,
                "radius_nm": pa.array(self.radius_nm.astype(np.float32), mask=np.isnan(self.radius_nm)),
                "compartment_code": self.compartment.astype(np.int64),
                "length_nm": length.astype(np.float32),
                "path_nm": pa.array(np.array(path, dtype=np.float32), mask=unreached),
            },
            schema=TABLES[SKELETON].arrow_schema,
        )

    def _require_fit(self) -> None:
        count = len(self.vertices_nm)
        wrong = ""
        if self.vertices_nm.shape != (count, 3) or not count or not np.isfinite(self.vertices_nm).all():
            wrong = "its vertices are not points in space"
        elif len(self.radius_nm) != count or len(self.compartment) != count:
            wrong = "radius or compartment are not there for each vertex"
        elif not 0 <= self.root < count or self.edges.min(initial=0) < 0 or self.edges.max(initial=0) >= count:
            wrong = "it names a vertex that it does not have"
        if wrong:
            raise SchemaDrift(
                f"the skeleton of {self.pt_root_id} cannot be read: {wrong}; update microns-warehouse"
            )

    def _parents(self) -> tuple[Ints, Ints]:
        """The next vertex towards the soma, -1 for the soma's; and the vertices of its tree, parents first.

        A piece that hangs on nothing keeps its edges, away from the vertex with the smallest number.
        """
        neighbours: list[list[int]] = [[] for _ in self.vertices_nm]
        for one, other in self.edges.tolist():
            neighbours[one].append(other)
            neighbours[other].append(one)
        parent = [-2] * len(neighbours)
        reached: list[int] = []
        for start in (self.root, *range(len(neighbours))):
            if parent[start] != -2:
                continue
            parent[start] = -1
            tree = [start]
            for vertex in tree:
                for next_one in neighbours[vertex]:
                    if parent[next_one] == -2:
                        parent[next_one] = vertex
                        tree.append(next_one)
            reached = reached or tree
        n_edges = sum(vertex >= 0 for vertex in parent)
        if n_edges != len(self.edges):
            raise SchemaDrift(
                f"the skeleton of {self.pt_root_id} has loops ({len(self.edges)} edges, {n_edges} make a tree); "
                "leave the cell out, and report it to CAVE"
            )
        return np.array(parent), np.array(reached)


def concat_rows(skeletons: Sequence[pa.Table]) -> pa.Table:
    """The rows of several skeletons, or of none."""
    return pa.concat_tables(skeletons) if skeletons else TABLES[SKELETON].arrow_schema.empty_table()
