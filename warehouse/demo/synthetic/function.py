"""What the recorded cells respond to: true tuning, recorded units, and which method matched them to nuclei."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from warehouse.demo.synthetic import published
from warehouse.demo.synthetic.cells import Cells
from warehouse.demo.synthetic.ids import Bools, Floats, Ints, scaled, stream
from warehouse.demo.synthetic.proofreading import Proofreading
from warehouse.demo.synthetic.published import EXCITATORY

METHODS = ("manual", "auto", "vessel")
_MANUAL_UNITS_PER_CELL = published.MANUAL_MATCHES[1] / published.MANUAL_MATCHES[0]
_FOUND = {"auto": 0.95, "vessel": 0.93}  # share of the true matches that a method finds, a choice
_WRONG = {"auto": 0.04, "vessel": 0.05}  # share of its matches that name a wrong unit, a choice
_AGREED = 0.81  # share of the true matches that both automatic methods find
_ALL_UNITS_PER_CELL = published.COMBINED_MATCHES[1] / published.COMBINED_MATCHES[0] / _AGREED
_UNIT_NOISE_DEG = 9.0  # between units of one cell, a choice
_UNLIKE_DEG, _UNLIKE_REDRAWN = 30.0, 0.3  # how connections prefer like partners, a choice
_WITH_PROPERTIES = 12_094 / 19_181  # of the units matched by hand (functional_properties_v3_bcm, v1300)
_PROOFREAD_RECORDED = 0.5  # share of the proofread excitatory cells that are recorded, a choice


@dataclass(frozen=True)
class Tuning:
    """The recorded cells and their units.

    Attributes:
        direction: true preferred direction of each cell in degrees of the digital twin; NaN where not recorded.
        cell: cell index of each unit, growing.
        session, scan_idx, unit_id, field: which unit it is.
        unit_direction: its preferred direction in degrees.
        matched: for each method the unit id that it names, or 0 where it found none; shape (3, units).
    """

    direction: Floats
    cell: Ints
    session: Ints
    scan_idx: Ints
    unit_id: Ints
    field: Ints
    unit_direction: Floats
    matched: Ints

    def unlike(self, pre: Ints, post: Ints, rng: np.random.Generator) -> Bools:
        """Pairs of recorded cells with different orientation, of which some are to be drawn again."""
        difference = np.abs(self.direction[pre] - self.direction[post]) % 180
        difference = np.minimum(difference, 180 - difference)
        unlike: Bools = (difference > _UNLIKE_DEG) & (rng.random(len(pre)) < _UNLIKE_REDRAWN)
        return unlike

    @property
    def agreed(self) -> Bools:
        """Units for which both automatic methods name the same match."""
        agreed: Bools = (self.matched[1] == self.matched[2]) & (self.matched[1] > 0)
        return agreed


def make_tuning(cells: Cells, proofreading: Proofreading) -> Tuning:
    """Recorded excitatory cells with one to several units each."""
    rng = stream(cells.seed, "function")
    recorded = _recorded(cells, proofreading, rng)
    direction = np.full(len(cells), np.nan)
    direction[recorded] = rng.uniform(0, 360, len(recorded))
    units = rng.geometric(1 / _ALL_UNITS_PER_CELL, len(recorded)).clip(max=len(published.SCANS))
    cell = np.repeat(recorded, units)
    scan, unit_id = _units(cell, units, rng)
    session, scan_idx = (np.array(column)[scan] for column in zip(*published.SCANS, strict=True))
    noisy = direction[cell] + _UNIT_NOISE_DEG * rng.standard_normal(len(cell))
    return Tuning(
        direction=direction,
        cell=cell,
        session=session,
        scan_idx=scan_idx,
        unit_id=unit_id,
        field=rng.integers(1, 9, len(cell)),
        unit_direction=noisy % 360,
        matched=_matches(cell, unit_id, rng),
    )


def _recorded(cells: Cells, proofreading: Proofreading, rng: np.random.Generator) -> Ints:
    excitatory = np.flatnonzero(cells.cell_class == EXCITATORY)
    number = scaled(len(cells), published.COMBINED_MATCHES[0], published.NUCLEI, at_least=20)
    chosen = rng.permutation(excitatory)[:number]
    proofread = np.intersect1d(proofreading.cell, excitatory)
    wanted = rng.permutation(proofread)[: scaled(len(proofread), _PROOFREAD_RECORDED, 1.0)]
    return np.union1d(chosen, wanted)


def _units(cell: Ints, units: Ints, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """A scan for each unit, no scan twice for one cell, and a unit id that is unique within the scan."""
    shuffled = np.argsort(rng.random((len(units), len(published.SCANS))), axis=1)
    turn = np.arange(len(cell)) - np.repeat(np.cumsum(units) - units, units)
    scan = shuffled[np.repeat(np.arange(len(units)), units), turn]
    unit_id = np.zeros(len(cell), dtype=np.int64)
    for index in range(len(published.SCANS)):
        members = np.flatnonzero(scan == index)
        pool = max(published.UNITS_PER_SCAN, 2 * len(members))
        unit_id[members] = rng.choice(pool, len(members), replace=False) + 1
    return scan, unit_id


def _matches(cell: Ints, unit_id: Ints, rng: np.random.Generator) -> Ints:
    """What each method says about each unit; wrong matches name a unit that no cell truly has."""
    matched = np.zeros((len(METHODS), len(cell)), dtype=np.int64)
    cells = np.unique(cell)
    by_hand = rng.permutation(cells)[
        : scaled(len(cells), published.MANUAL_MATCHES[0], published.COMBINED_MATCHES[0])
    ]
    further = np.append(False, cell[1:] == cell[:-1])[: len(cell)]
    more = (_MANUAL_UNITS_PER_CELL - 1) / (_ALL_UNITS_PER_CELL - 1)
    manual = np.isin(cell, by_hand) & (~further | (rng.random(len(cell)) < more))
    matched[0] = np.where(manual, unit_id, 0)
    for index, method in enumerate(METHODS[1:], start=1):
        found = rng.random(len(cell)) < _FOUND[method]
        wrong = rng.random(len(cell)) < _WRONG[method]
        wrong[index] = found[index] = True  # every volume shows a disagreement
        elsewhere = unit_id.max() + 2 * np.cumsum(wrong) + index
        matched[index] = np.where(found, np.where(wrong, elsewhere, unit_id), 0)
    return matched


def coregistration(cells: Cells, tuning: Tuning, unit_id: Ints, purpose: str) -> dict[str, pa.Array]:
    """The columns of a coregistration table for the units that have a match (`unit_id` > 0)."""
    rng = stream(cells.seed, purpose)
    rows = np.flatnonzero(unit_id > 0)
    count = len(rows)
    field = pa.array(tuning.field[rows].astype(np.int32), mask=_some(count, 0.03, rng))
    score = rng.normal(5.3, 6.2, count)
    score[_some(count, 0.02, rng)] = np.nan
    return {
        **_unit_key(cells, tuning, rows, unit_id),
        "field": field,
        "residual": pa.array(np.abs(rng.normal(0, 5.5, count)), mask=_some(count, 0.02, rng)),
        "score": pa.array(score),
    }


def _unit_key(cells: Cells, tuning: Tuning, rows: Ints, unit_id: Ints) -> dict[str, pa.Array]:
    return {
        "target_id": pa.array(cells.nucleus_id[tuning.cell[rows]]),
        "session": pa.array(tuning.session[rows].astype(np.int32)),
        "scan_idx": pa.array(tuning.scan_idx[rows].astype(np.int32)),
        "unit_id": pa.array(unit_id[rows].astype(np.int32)),
    }


def _some(count: int, share: float, rng: np.random.Generator, among: Bools | None = None) -> Bools:
    """A few of the rows, at least one."""
    some: Bools = np.zeros(count, dtype=bool)
    candidates = np.arange(count) if among is None else np.flatnonzero(among)
    some[rng.permutation(candidates)[: scaled(count, share, 1.0)]] = True
    return some


def tuning_properties(cells: Cells, tuning: Tuning, unit_id: Ints) -> dict[str, pa.Array]:
    """The columns of a digital twin table: degrees, 0 = vertical bar moving right, counter-clockwise.

    A unit has the same properties in every table that holds it; not all units have any.
    """
    every = stream(cells.seed, "tuning properties")
    count = len(unit_id)
    by_all = np.flatnonzero(tuning.matched.all(axis=0))
    known = every.random(count) < _WITH_PROPERTIES
    known[by_all[:6]] = True
    rows = np.flatnonzero((unit_id > 0) & known)
    gosi, gdsi = every.beta(1.6, 4.5, count), every.beta(1.4, 6, count)
    cc_max = np.where(every.random(count) < 0.03, 0.0, every.beta(3, 3, count))
    cc_max[by_all[:2]] = 0.0  # so that every table has NaN
    cc_abs = cc_max * every.beta(6, 3, count)
    cc_norm = np.divide(cc_abs, cc_max, out=np.full(count, np.nan), where=cc_max > 0)
    orientation = tuning.unit_direction % 180
    columns = {
        "pref_ori": orientation, "pref_dir": tuning.unit_direction, "gOSI": gosi, "gDSI": gdsi,
        "cc_abs": cc_abs, "cc_max": cc_max, "cc_norm": cc_norm,
        "OSI": np.minimum(1.0, 1.5 * gosi), "DSI": np.minimum(1.0, 1.2 * gdsi),
        "readout_loc_x": every.normal(0, 0.3, count).clip(-1, 1),
        "readout_loc_y": every.normal(0, 0.3, count).clip(-1, 1),
    }  # fmt: skip
    arrays = {name: pa.array(values[rows]) for name, values in columns.items()}
    lost = _some(len(rows), 0.02, stream(cells.seed, "lost cc_norm"), among=np.isfinite(cc_norm[rows]))
    arrays["cc_norm"] = pa.array(cc_norm[rows], mask=lost)
    return {**_unit_key(cells, tuning, rows, unit_id), **arrays}


def earlier_properties(columns: dict[str, pa.Array]) -> dict[str, pa.Array]:
    """The columns of functional_properties_v3_bcm: radians, 0 = horizontal bar moving up, clockwise."""
    direction = np.asarray(columns["pref_dir"])
    orientation = np.asarray(columns["pref_ori"])
    kept = ("target_id", "session", "scan_idx", "unit_id", "gOSI", "gDSI", "cc_abs")
    return {
        **{name: columns[name] for name in kept},
        "pref_ori": pa.array(np.radians((90 - orientation) % 180)),
        "pref_dir": pa.array(np.radians((90 - direction) % 360)),
    }
