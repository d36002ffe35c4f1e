"""What an id stands for in a version, and the sentence about one that stands for nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import polars as pl

from tests.oracle.dataset import VOXEL
from tests.oracle.lineage import root_lineage
from tests.oracle.steps import assessments, knows_proofreading, nuclei, proofread_axons, proofreading
from tests.oracle.tables import SYNAPSES, Version

Ids = int | str | Sequence[int | str]


@dataclass
class Known:
    """What is said of an id; without a root, why there is none."""

    root: int | None = None
    n_nuclei: int = 0
    nucleus: int | None = None
    axon: bool | None = None
    moved_to: int | None = None
    problem: str | None = None


def given(ids: Ids) -> list[int]:
    """The numbers of an argument, each once."""
    words = [ids] if isinstance(ids, int | str) else ids
    return sorted({int(each) for word in words for each in str(word).replace(",", " ").split()})


def roots(version: Version, ids: Ids) -> list[int]:
    """The segments of ids that stand for one."""
    found = [known(version, each) for each in given(ids)]
    assert all(each.problem is None for each in found)
    return sorted({each.root for each in found if each.root is not None})


@cache
def index(version: Version) -> dict[int, Known]:
    """The ids of cells and of assessed segments."""
    axons = set(proofread_axons(version)["pt_root_id"])
    cells = nuclei(version).sort("nucleus_id")
    on_root = {root: ids for (root,), ids in _grouped(cells) if root > 1}
    found = {}
    for root in {*on_root, *proofreading(version)["pt_root_id"]}:
        ids = on_root.get(root, [])
        found[root] = Known(root, len(ids), ids[0] if ids else None, root in axons)
    for nucleus, root in cells.select("nucleus_id", "pt_root_id").iter_rows():
        if root > 1:
            found[nucleus] = Known(root, len(on_root[root]), nucleus, root in axons)
        else:
            problem = f"nucleus {nucleus} has no segment in v{version.number}"
            found[nucleus] = Known(None, 0, nucleus, False, problem=problem)
    return found


def _grouped(cells: pl.DataFrame) -> Iterable[tuple[tuple[int], list[int]]]:
    return ((key, rows["nucleus_id"].to_list()) for key, rows in cells.group_by("pt_root_id"))


@cache
def pieces(version: Version) -> set[int]:
    """Other segments that have a synapse."""
    synapses = version.rows(SYNAPSES, "pre_pt_root_id", "post_pt_root_id")
    both = {*synapses["pre_pt_root_id"], *synapses["post_pt_root_id"]}
    return both - {0, 1} - set(index(version))


def known(version: Version, id: int) -> Known:
    """What the version says of an id."""
    here = index(version)
    if id in here:
        return here[id]
    if id in pieces(version):
        return Known(id, 0, None, False)
    for answer in (_of_another_version, _of_a_table, _of_another_piece):
        if (found := answer(version, id)) is not None:
            return found
    if id in (0, 1):
        where = "outside of the segmentation" if id == 0 else "without a row in the segmentation"
        return Known(problem=f"{id} is no segment: it stands for a point {where}")
    return Known(
        problem=f"{id} is not known: no root id or nucleus id of a local version (this is v{version.number}; "
        "all are in the view versions)"
    )


def _of_another_version(version: Version, id: int) -> Known | None:
    """An id of a cell elsewhere is followed through its nucleus, any other root through its synapses."""
    others = [each for number, each in version.world.items() if number != version.number]
    has_it = {each.number: index(each)[id] for each in others if id in index(each)}
    heirs = _heirs(version, id)
    named = sorted({f"v{number}" for number in (*has_it, *heirs)})
    if not named:
        return None
    said = f"{id} is not in v{version.number}; it was in {', '.join(named)}"
    nucleus = max((each.nucleus for each in has_it.values() if each.nucleus is not None), default=None)
    heir = heirs[max(heirs)] if heirs else []
    best = max(heir, key=lambda row: (row[1], -row[0])) if heir else None
    if nucleus is not None:
        root = index(version).get(nucleus, Known()).root
        if root is not None:
            now = f"is on root {root} now; nucleus ids stay the same, root ids do not"
            return Known(moved_to=root, problem=f"{said}, and its nucleus {nucleus} {now}", nucleus=None)
        return Known(moved_to=best and best[0], problem=f"{said}, and its nucleus {nucleus} has no segment now")
    said += " as a segment without a nucleus"
    if best is None:
        return Known(problem=f"{said}, which cannot be followed from version to version")
    n_all = sum(sides for _, sides in heir)
    which = (
        "all of its synapses are" if best[1] == n_all else f"{best[1]} of the {n_all} sides of its synapses are"
    )
    return Known(moved_to=best[0], problem=f"{said}, and {which} on root {best[0]} now; see root_lineage")


def _heirs(version: Version, id: int) -> dict[int, list[tuple[int, int]]]:
    """By the version that has the id: roots here, and how many sides of synapses went there."""
    found: dict[int, list[tuple[int, int]]] = {}
    for version_a, version_b, root_a, root_b, sides in root_lineage(version).iter_rows():
        if (version_b, root_a) == (version.number, id):
            found.setdefault(version_a, []).append((root_b, sides))
        if (version_a, root_b) == (version.number, id):
            found.setdefault(version_b, []).append((root_a, sides))
    return found


def _of_a_table(version: Version, id: int) -> Known | None:
    """A root that a table of CAVE names: under a centroid, or from before an edit."""
    strays = []
    places = nuclei(version).select("orig_root_id", "pt_root_id", "nucleus_id").iter_rows()
    for old, root, nucleus in sorted(places, key=lambda row: row[2]):
        if old == id != root:
            where = f"lies under the centroid of nucleus {nucleus} in v{version.number}, but is not its cell"
            strays.append((root, where))
    rows = assessments(version).sort("id").select("valid_id", "pt_root_id").iter_rows()
    before = f"is a root from before v{version.number}, at which proofreading was assessed"
    strays += [(root, before) for old, root in rows if old == id != root]
    if not strays or id in (0, 1):
        return None
    root, what = strays[0]
    now = f"; the cell is on root {root} now" if root > 1 else ", which has no segment now"
    return Known(moved_to=root or None, problem=f"{id} {what}{now}")


def _of_another_piece(version: Version, id: int) -> Known | None:
    others = [number for number, each in version.world.items() if number != version.number and id in pieces(each)]
    if not others:
        return None
    named = ", ".join(sorted(f"v{number}" for number in others))
    return Known(
        problem=f"{id} is not in v{version.number}; it was in {named} as a segment without a nucleus, "
        "which cannot be followed from version to version"
    )


def check_ids(version: Version, ids: Ids) -> pl.DataFrame:
    rows = []
    for id in given(ids):
        said = known(version, id)
        is_one = said.n_nuclei <= 1 or id == said.nucleus
        known_here = said.root is not None or said.nucleus is not None
        rows.append(
            {
                "id": id,
                "pt_root_id": said.root,
                "n_nuclei_on_root": None if said.root is None else said.n_nuclei,
                "nucleus_id": said.nucleus if is_one else None,
                "axon_proofread": said.axon if knows_proofreading(version) and known_here else None,
                "moved_to_root_id": said.moved_to,
                "problem": said.problem,
            }
        )
    schema = dict.fromkeys(rows[0], pl.Int64) | {"axon_proofread": pl.Boolean, "problem": pl.String}
    return pl.DataFrame(rows, schema)


def root_of(version: Version, id: Ids) -> int:
    (root,) = roots(version, id)
    return root


def nucleus_of(version: Version, id: Ids) -> int | None:
    """None of a segment without a nucleus; of merged cells only the nucleus itself tells which."""
    (said,) = (known(version, each) for each in given(id))
    return said.nucleus


def neuroglancer_link(version: Version, ids: Ids, source: str = "auto") -> dict[str, Any]:
    """The state of the viewer that the link holds, as far as it depends on the ids."""
    cells = {each: known(version, each) for each in given(ids)}
    single = {id: each.nucleus for id, each in cells.items() if each.n_nuclei == 1 or id == each.nucleus}
    flat = _flat(version, cells, single) if source != "live" else None
    number, segments = flat or (version.number, sorted(str(each.root) for each in cells.values()))
    name = f"minnie65_public v{number}" + ("" if number == version.number else f" (for v{version.number})")
    state: dict[str, Any] = {"is_flat": flat is not None, "segments": sorted(set(segments)), "name": name}
    if here := [each for each in single.values() if each is not None]:
        place = nuclei(version).filter(pl.col("nucleus_id") == min(here))
        state["position"] = [place[f"pt_position_{axis}"][0] for axis in VOXEL]
    return state


COPIED = (117, 343, 943, 1300)


def _flat(
    version: Version, cells: dict[int, Known], single: dict[int, int | None]
) -> tuple[int, list[str]] | None:
    """The nearest version with a copy of the segmentation in which every cell has a segment."""
    for number in sorted(COPIED, key=lambda each: (abs(each - version.number), -each)):
        if number == version.number:
            return number, sorted(str(each.root) for each in cells.values())
        if number in version.world:
            there = index(version.world[number])
            found = [there.get(nucleus, Known()).root if nucleus else None for nucleus in map(single.get, cells)]
            if all(root is not None for root in found):
                return number, sorted(map(str, found))
    return None


MACROS = {"check_ids": check_ids}
VALUES_OF_VERSION = {"root_of": root_of, "nucleus_of": nucleus_of}
