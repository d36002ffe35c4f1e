"""Rows in which careless definitions go wrong: three versions of a few cells, seeded, with all that CAVE may hold.

Tables disagree on types, assessments are repeated and stale, tags overlap in part, the latest alternative point
has no larger value, several methods match one unit, and ids have no order that anything else has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

ROOT = 864_691_135_000_000_000
FIRST, SECOND, LAST = 943, 1507, 1718
N_NUCLEI, N_PIECES, N_SYNAPSES = 36, 14, 700
Rows = dict[str, Any]
AXONS = ["axon_fully_extended", "axon_partially_extended", "axon_interareal", "none"]
DENDRITES = ["none", "dendrite_clean", "dendrite_extended"]
TYPES = ["23P", "4P", "5P-IT", "5P-ET", "5P-PT", "BC", "MC", "oligo"]
UNSURE = ["Unsure", "Unsure E", "unsure", "error"]
MODEL, BY_EXPERTS = "aibs_metamodel_celltypes_v661", "allen_v1_column_types_slanted_ref"


class Stress:
    """The frames of three versions.

    Attributes:
        tables: by version and CAVE's name, the columns that are given; others are harmless.
    """

    def __init__(self, seed: int = 7) -> None:
        self.rng = np.random.default_rng(seed)
        self.nuclei = self.rng.permutation(np.arange(100_000, 999_999, 20_011))[:N_NUCLEI]
        self.tables: dict[int, dict[str, Rows]] = {}
        self.roots = self.first_roots()
        self.pieces = ROOT + 5_000_000 + self.rng.permutation(1000)[:N_PIECES]
        self.supervoxels = ROOT // 8 + self.rng.permutation(10_000)[:N_NUCLEI]
        self.places = self.rng.integers((60_000, 90_000, 2_000), (240_000, 320_000, 18_000), (N_NUCLEI, 3))
        self.places[0] = (100_000, 20_000, 9_000)  # above the pia
        self.synapses = self.first_synapses()
        few = {"coregistration_manual_v4", "functional_properties_v3_bcm", MODEL, "nucleus_ref_neuron_svm"}
        everything = self.everything()
        self.tables[FIRST] = {name: rows for name, rows in everything.items() if name in few}
        self.tables[FIRST] |= self.living() | {"proofreading_status_public_release": self.old_proofreading()}
        self.edit()
        few |= {"nucleus_functional_area_assignment", BY_EXPERTS, "synapse_target_predictions_ssa"}
        self.tables[SECOND] = {name: rows for name, rows in everything.items() if name in few}
        self.tables[SECOND] |= self.living() | {"proofreading_status_and_strategy": self.proofreading()}
        self.edit()
        self.tables[LAST] = everything | self.living() | self.corrected() | self.shapes()
        self.tables[LAST] |= {
            "nucleus_alternative_points": self.alternative_points(),
            "proofreading_status_and_strategy": self.proofreading(),
            **{f"vortex_{kind}_proofreading_status": self.kinds() for kind in ("thalamic", "peptidergic")},
        }

    def ids(self, n: int) -> np.ndarray:
        """Ids in no order, as many as wanted."""
        return self.rng.permutation(20 * n + 50)[:n] + 1

    def some(self, share: float, again: float = 0.25) -> np.ndarray:
        """Nuclei that a table is about; some of them twice."""
        chosen = self.nuclei[self.rng.random(N_NUCLEI) < share]
        return np.concatenate([chosen, chosen[self.rng.random(len(chosen)) < again]])

    def first_roots(self) -> np.ndarray:
        """Most cells are alone; three pairs and a triple share a root, one has none, one was never looked up."""
        roots = ROOT + self.rng.permutation(10_000)[:N_NUCLEI]
        for several in ((0, 1), (2, 3), (4, 5), (6, 7, 8)):
            roots[list(several)] = roots[several[0]]
        roots[[9, 10]] = (0, 1)
        return roots

    def first_synapses(self) -> Rows:
        """Mostly from a few senders, so that pairs have several; with autapses, and sides on 0 and 1."""
        rng, n = self.rng, N_SYNAPSES
        everybody = np.concatenate([self.roots[self.roots > 1], self.pieces])
        senders = np.concatenate([self.roots[self.roots > 1][::2], self.pieces[:4]])
        pre = np.where(rng.random(n) < 0.7, rng.choice(senders, n), rng.choice(everybody, n))
        post = rng.choice(everybody, n)
        strong = rng.random(n) < 0.35
        pre[strong], post[strong] = rng.choice(senders[:6], strong.sum()), rng.choice(everybody[:9], strong.sum())
        post = np.where(rng.random(n) < 0.03, pre, post)
        pre, post = (np.where(rng.random(n) < 0.03, rng.integers(0, 2, n), side) for side in (pre, post))
        places = {
            f"{end}_pt_position_{axis}": rng.integers(low, high, n)
            for end in ("pre", "post", "ctr")
            for axis, low, high in (("x", 1000, 9000), ("y", 99_000, 140_000), ("z", 100, 900))
        }
        sizes = rng.integers(1, 40, n) * 50
        return {
            "id": np.sort(self.ids(n)),
            "pre_pt_root_id": pre,
            "post_pt_root_id": post,
            "size": sizes,
            **places,
        }

    def living(self) -> dict[str, Rows]:
        """The tables that have roots, as they are at the moment."""
        nuclei = {"id": self.nuclei, "pt_root_id": self.roots, "pt_supervoxel_id": self.supervoxels}
        nuclei |= {f"pt_position_{axis}": self.places[:, place] for place, axis in enumerate("xyz")}
        volume = np.random.default_rng(3).integers(50, 900, N_NUCLEI) / 4
        return {
            "nucleus_detection_v0": {name: each.copy() for name, each in (nuclei | {"volume": volume}).items()},
            "synapses_pni_2": {name: each.copy() for name, each in self.synapses.items()},
        }

    def edit(self) -> None:
        """A version later: roots are split, merged, lost and found; a point is moved; synapses come and go."""
        rng = self.rng
        renamed = {int(old): int(old) + 100_000 for old in rng.choice(self.roots[self.roots > 1], 9)}
        renamed |= {int(self.roots[15]): int(self.roots[15]) + 100_000}
        shared = [place for place in range(9) if self.roots[place] > 1]
        for place in rng.choice(shared, 2, replace=False):
            self.roots[place] += 200_000  # leaves those with whom it shared
        self.roots[11], self.roots[12] = self.roots[13], 0
        self.roots[9] = ROOT + 300_000 + rng.integers(1000)
        self.supervoxels[14] += 1
        renamed |= {int(old): int(old) + 400_000 for old in rng.choice(self.pieces, 3, replace=False)}
        renamed[int(self.pieces[-1])] = renamed[int(self.roots[15])]
        self.roots = np.array([renamed.get(int(root), int(root)) for root in self.roots])
        self.pieces = np.array([renamed.get(int(root), int(root)) for root in self.pieces])
        for side in ("pre_pt_root_id", "post_pt_root_id"):
            old = self.synapses[side]
            new = np.array([renamed.get(int(root), int(root)) for root in old])
            cut = (new != old) & (rng.random(len(old)) < 0.2)  # a false piece of the edited segment
            self.synapses[side] = np.where(cut, new + 700_000, new)
        kept = rng.random(len(old)) > 0.03
        self.synapses = {name: values[kept] for name, values in self.synapses.items()}
        self.synapses["size"][:5] += 50

    def everything(self) -> dict[str, Rows]:
        """The tables that have no roots."""
        tables = {
            MODEL: self.types(0.8, ["excitatory_neuron", "inhibitory_neuron", "nonneuron"]),
            BY_EXPERTS: self.types(
                0.5, ["aibs_coarse_excitatory", "aibs_coarse_inhibitory", "aibs_coarse_unclear"]
            ),
            "aibs_column_nonneuronal_ref": self.types(0.15, ["aibs_coarse_nonneuronal"]),
            "baylor_log_reg_cell_type_coarse_v1": self.types(0.4, ["baylor"], ["excitatory", "inhibitory"]),
            "baylor_gnn_cell_type_fine_model_v2": self.types(0.6, ["baylor_gnn_cell_type_fine"]),
            "cell_type_multifeature_combo": self.types(
                0.5, ["excitatory_neuron", "inhibitory_neuron"], ["L2IT", "PV"]
            ),
            "aibs_metamodel_mtypes_v661_v2": self.types(0.7, ["excitatory", "inhibitory"], ["L2a", "L3b", "PTC"]),
            "allen_column_mtypes_v2": self.types(0.3, ["excitatory"], ["L2b", "DTC", "Unsure"]),
            "nucleus_ref_neuron_svm": self.types(0.85, ["is_neuron"], ["neuron", "neuron", "not-neuron"]),
            "nucleus_functional_area_assignment": self.areas(),
            **self.tags(),
        }
        methods = ("manual_v4", "auto_phase3_fwd_v2", "auto_phase3_fwd_apl_vess_combined_v2")
        for name in (*(f"coregistration_{method}" for method in methods), "apl_functional_coreg_vess_fwd"):
            tables[name] = self.matches()
        for method in ("v4", "auto_phase3_fwd_v2", "apl_vess_fwd"):
            tables[f"digital_twin_properties_bcm_coreg_{method}"] = self.tuning(180, 360)
        tables["functional_properties_v3_bcm"] = self.tuning(2 * np.pi, 4 * np.pi)
        return tables

    def corrected(self) -> dict[str, Rows]:
        return {
            f"{MODEL}_corrections": self.types(0.25, ["excitatory_neuron", "inhibitory_neuron"]),
            "aibs_metamodel_mtypes_v661_v2_corrections": self.types(0.2, ["excitatory"], ["L4a", "unsure"]),
        }

    def types(self, share: float, classes: Sequence[str], types: Sequence[str] | None = None) -> Rows:
        targets = self.some(share)
        words = self.rng.choice(list(types or [*TYPES, *UNSURE[: 1 + len(classes)]]), len(targets))
        return {
            "id": self.ids(len(targets)),
            "target_id": targets,
            "classification_system": self.rng.choice(list(classes), len(targets)),
            "cell_type": words,
        }

    def areas(self) -> Rows:
        targets = self.some(0.8)
        tags = self.rng.choice(["V1", "V1", "AL", "RL"], len(targets))
        value = self.rng.integers(1, 4000, len(targets)) / 8
        return {"id": self.ids(len(targets)), "target_id": targets, "tag": tags, "value": value}

    def alternative_points(self) -> Rows:
        """Later points have smaller roots than earlier ones; one lies on another cell, one on nothing."""
        targets = np.repeat(self.nuclei[[16, 17, 18, 19, 20]], [3, 2, 1, 1, 1])
        ids = np.array([5, 90, 31, 8, 70, 44, 2, 61])
        roots = ROOT + 600_000 + np.array([7, 3, 5, 9, 1, 0, 0, 0])
        roots[[5, 6, 7]] = (self.roots[21], 0, self.roots[20])
        rows = {"id": ids, "target_id": targets, "pt_root_id": roots, "pt_supervoxel_id": roots // 8 + 100 - ids}
        return rows | {f"pt_position_{axis}": 1000 * (axis == "z") + 200 - ids for axis in "xyz"}

    def proofreading(self) -> Rows:
        """Of cells, merged ones, pieces and nothing; stale, repeated, and with axons that were not followed."""
        assessed = np.concatenate([self.roots[::2], self.roots[:12], self.roots[15:24], self.pieces[:5], [0, 1]])
        n = len(assessed)
        stale = self.rng.random(n) < 0.3
        is_axon = self.rng.random(n) < 0.75
        axons = np.where(is_axon, self.rng.choice(AXONS, n, p=[0.5, 0.25, 0.15, 0.1]), self.rng.choice(AXONS, n))
        return {
            "id": self.ids(n),
            "pt_root_id": assessed,
            "valid_id": np.where(stale, ROOT - 1_000_000 - self.rng.permutation(n) // 2, assessed),
            "status_axon": is_axon,
            "strategy_axon": axons,
            "status_dendrite": self.rng.random(n) < 0.6,
            "strategy_dendrite": self.rng.choice(DENDRITES, n),
        }

    def old_proofreading(self) -> Rows:
        new = self.proofreading()
        words = {
            f"status_{part}": self.rng.choice(["non", "clean", "extended"], len(new["id"]))
            for part in ("axon", "dendrite")
        }
        return {name: new[name] for name in ("id", "pt_root_id", "valid_id")} | words

    def kinds(self) -> Rows:
        roots = self.rng.permutation(np.concatenate([self.pieces[:5], self.roots[:2]]))[:5]
        roots = np.concatenate([roots, roots[:1]])
        return {"id": self.ids(6), "pt_root_id": roots, "status": self.rng.choice(["non", "extended"], 6)}

    def tags(self) -> dict[str, Rows]:
        """Each of some synapses only; the third table has some twice."""
        found = {}
        for name, share in (("predictions_ssa_v2", 0.4), ("predictions_ssa", 0.5), ("structure", 0.3)):
            targets = self.synapses["id"][self.rng.random(N_SYNAPSES) < share]
            if name == "structure":
                targets = np.concatenate([targets, targets[::3]])
                said = {"value": self.rng.integers(0, 7, len(targets))}
            else:
                said = {"tag": self.rng.choice(["spine", "shaft", "soma"], len(targets))}
            found[f"synapse_target_{name}"] = {"id": self.ids(len(targets)), "target_id": targets, **said}
        return found

    def units(self, n: int) -> Rows:
        """Units of few scans: many rows are about the same."""
        names = ("session", "scan_idx", "unit_id")
        return {name: self.rng.integers(1, most, n) for name, most in zip(names, (4, 3, 7), strict=True)}

    def matches(self) -> Rows:
        n = 24
        residual = np.where(self.rng.random(n) < 0.2, np.nan, self.rng.integers(1, 8, n) / 2)
        rows = {"id": self.ids(n), "target_id": self.rng.choice(self.nuclei[:30], n), "residual": residual}
        field, score = self.rng.integers(1, 9, n), self.rng.integers(-8, 8, n) / 4
        return rows | self.units(n) | {"field": field, "score": score}

    def tuning(self, orientation: float, direction: float) -> Rows:
        n = 22
        names = ("gOSI", "gDSI", "OSI", "DSI", "cc_max", "cc_norm", "readout_loc_x", "readout_loc_y")
        values = {name: np.round(self.rng.random(n) * 2 - ("loc" in name), 2) for name in names}
        values["cc_abs"] = np.where(self.rng.random(n) < 0.2, np.nan, self.rng.integers(1, 5, n) / 8)
        values["cc_max"] = np.where(self.rng.random(n) < 0.2, np.nan, values["cc_max"])
        angles = {"pref_ori": self.rng.random(n) * orientation, "pref_dir": self.rng.random(n) * direction}
        rows = {"id": self.ids(n), "target_id": self.rng.choice(self.nuclei, n)}
        return rows | self.units(n) | values | angles

    def shapes(self) -> dict[str, Rows]:
        """The skeletons of three cells, near where the synapses are; each has a piece that hangs on nothing."""
        rows: dict[str, list[Any]] = {}
        n = 40
        for root in np.unique(self.roots[self.roots > 1])[2:5]:
            parents: list[int | None] = [None, *(int(self.rng.integers(0, each)) for each in range(1, n))]
            parents[n // 2] = None
            lengths = [0 if each is None else int(self.rng.integers(1, 900)) * 10 for each in parents]
            paths: list[float | None] = []
            for vertex, (parent, length) in enumerate(zip(parents, lengths, strict=True)):
                before = 0.0 if vertex == 0 else None if parent is None else paths[parent]
                paths.append(None if before is None else before + length)
            codes = [1, *self.rng.integers(0, 5, n - 1)]
            places = self.rng.integers((4000, 396_000, 4000), (36_000, 560_000, 36_000), (n, 3))
            columns: Rows = {"pt_root_id": [root] * n, "vertex": range(n), "parent_vertex": parents}
            columns |= {f"{axis}_nm": places[:, place] for place, axis in enumerate("xyz")}
            columns |= {"radius_nm": self.rng.integers(1, 500, n), "compartment_code": codes}
            columns |= {"length_nm": lengths, "path_nm": paths}
            for name, values in columns.items():
                rows.setdefault(name, []).extend(values)
        return {"skeleton_vertices": rows}


def frame(rows: Rows) -> pl.DataFrame:
    """Rows in no order; what is not a number is missing."""
    columns = {name: list(values) for name, values in rows.items()}
    return pl.DataFrame(columns, strict=False).fill_nan(None).sample(fraction=1, shuffle=True, seed=1)
