"""The traps of the real tables: each really occurs, even in a small synthetic volume."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl
import pytest

from warehouse.demo.synthetic import Volume, synthesize
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.logical import logical_rows

SEEDS = (0, 1, 2)
OLDER, NEWER = 1507, 1718


@cache
def volume_of(seed: int) -> Volume:
    return synthesize(cells=300, seed=seed)


@pytest.fixture(scope="module", params=SEEDS)
def volume(request: pytest.FixtureRequest) -> Volume:
    return volume_of(request.param)


def rows(volume: Volume, version: int, name: str) -> pl.DataFrame:
    frame = pl.from_arrow(logical_rows(TABLES[name], volume.table(version, name)))
    assert isinstance(frame, pl.DataFrame)
    return frame


def view(volume: Volume, version: int, name: str) -> pl.DataFrame:
    frame = pl.from_arrow(volume.view(version, name))
    assert isinstance(frame, pl.DataFrame)
    return frame


def merged(volume: Volume, version: int) -> pl.DataFrame:
    """One row per root with several nuclei: what they are."""
    lookup = view(volume, version, "nucleus_detection_lookup_v1").filter(pl.col("pt_root_id") > 1)
    called = rows(volume, version, "nucleus_ref_neuron_svm").select("target_id", svm="cell_type")
    typed = rows(volume, version, "aibs_metamodel_celltypes_v661").select("target_id", "cell_type")
    joined = lookup.join(called, left_on="id", right_on="target_id").join(
        typed, left_on="id", right_on="target_id", how="left"
    )
    return (
        joined.group_by("pt_root_id")
        .agg(
            nuclei=pl.len(),
            neurons=(pl.col("svm") == "neuron").sum(),
            typed=pl.col("cell_type").count(),
        )
        .filter(pl.col("nuclei") > 1)
    )


def test_merged_roots_of_every_kind(volume: Volume) -> None:
    roots = merged(volume, OLDER)
    assert (roots["nuclei"] >= 5).any(), "one root with many nuclei"
    pairs = roots.filter(pl.col("nuclei") == 2)
    assert (pairs["typed"] == 1).any(), "a typed cell with an untyped one: the type table hides the merge"
    assert (pairs["typed"] == 2).any()
    assert (pairs["neurons"] == 2).any(), "two that the classifier calls neurons"
    assert (pairs["neurons"] == 1).any(), "one neuron: CAVE's single_neurons keeps it"
    single = view(volume, OLDER, "single_neurons")["pt_root_id"]
    kept = pairs.filter(pl.col("neurons") == 1)["pt_root_id"]
    assert kept.is_in(single.implode()).all()


def test_nuclei_without_a_root(volume: Volume) -> None:
    nuclei = rows(volume, OLDER, "nucleus_detection_v0")
    assert (nuclei["pt_root_id"] == 0).sum() >= 3
    assert (nuclei["pt_root_id"] == 1).sum() >= 1
    assert volume.table(OLDER, "nucleus_detection_v0")["pt_root_id"].null_count >= 1


def test_alternative_points_change_roots(volume: Volume) -> None:
    lookup = view(volume, OLDER, "nucleus_detection_lookup_v1")
    changed = lookup.filter(pl.col("pt_root_id") != pl.col("orig_root_id"))
    assert 0.03 < len(changed) / len(lookup) < 0.09
    own = rows(volume, OLDER, "nucleus_detection_v0")["pt_root_id"]
    by_centroid = own.filter(own > 1).value_counts().filter(pl.col("count") > 1)["pt_root_id"]
    assert set(by_centroid) - set(merged(volume, OLDER)["pt_root_id"]), "merged only by the centroid"


def test_proofreading_is_as_tricky_as_the_real_one(volume: Volume) -> None:
    older, newer = (rows(volume, version, "proofreading_status_and_strategy") for version in (OLDER, NEWER))
    nuclei = rows(volume, OLDER, "nucleus_detection_v0")
    for table in (older, newer):
        assert set(table["strategy_axon"]) == {
            "none", "axon_partially_extended", "axon_fully_extended", "axon_interareal",
        }  # fmt: skip
        assert ((table["strategy_axon"] == "none") == ~table["status_axon"]).all()
        assert (table["valid_id"] != table["pt_root_id"]).any(), "edited since the assessment"
        assert (table["valid_id"] == table["pt_root_id"]).mean() > 0.7  # type: ignore[operator]
        assert (table["status_axon"] & ~table["status_dendrite"]).any()
    assert set(older["id"]) < set(newer["id"])
    assert not set(newer["id"]) & set(nuclei["id"])
    both = older.join(newer, on="id")
    assert (both["strategy_axon"] != both["strategy_axon_right"]).any(), "extended further"
    column = rows(volume, OLDER, "allen_v1_column_types_slanted_ref")["target_id"]
    info = view(volume, OLDER, "aibs_cell_info").filter("axon_cleaned")
    assert 0 < info["id"].is_in(column.implode()).sum() < len(info)


def test_most_inputs_come_from_orphan_axons_with_several_synapses(volume: Volume) -> None:
    synapses = rows(volume, OLDER, SYNAPSE)
    roots = view(volume, OLDER, "nucleus_detection_lookup_v1")["pt_root_id"].implode()
    orphan = synapses.filter(~pl.col("pre_pt_root_id").is_in(roots) & (pl.col("pre_pt_root_id") > 1))
    assert len(orphan) / len(synapses) > 0.9
    sizes = orphan.group_by("pre_pt_root_id").len()["len"]
    assert sizes.mean() > 3  # type: ignore[operator]
    onto = synapses.filter(~pl.col("post_pt_root_id").is_in(roots))["post_pt_root_id"].n_unique()
    assert onto > 100, "orphan dendrites"


def test_synapse_rows_hold_every_special_case(volume: Volume) -> None:
    synapses = rows(volume, OLDER, SYNAPSE)
    proper = synapses.filter((pl.col("pre_pt_root_id") > 1) & (pl.col("post_pt_root_id") > 1))
    assert (proper["pre_pt_root_id"] == proper["post_pt_root_id"]).sum() > 5, "autapses"
    for side in ("pre", "post"):
        special = synapses.filter(pl.col(f"{side}_pt_root_id") < 2)
        assert (special[f"{side}_pt_root_id"] == special[f"{side}_pt_supervoxel_id"]).all()
        assert set(special[f"{side}_pt_root_id"]) == {0, 1}
    pairs = proper.group_by("pre_pt_root_id", "post_pt_root_id").len()["len"]
    assert pairs.max() >= 3  # type: ignore[operator]
    assert (synapses["size"] % 4 == 0).all()
    assert synapses["size"].mean() > 1.5 * synapses["size"].median()  # type: ignore[operator]


def test_unproofread_axons_have_few_outputs(volume: Volume) -> None:
    degree = view(volume, OLDER, "synapses_pni_2_in_out_degree").select("root_id", "n_output")
    info = view(volume, OLDER, "aibs_cell_info").join(degree, left_on="pt_root_id", right_on="root_id")
    neurons = info.filter(pl.col("broad_type") != "nonneuron").with_columns(pl.col("n_output").fill_null(0))
    extended = neurons.filter("axon_cleaned")["n_output"].mean()
    others = neurons.filter(pl.col("axon_cleaned").fill_null(False).not_())["n_output"].mean()
    assert extended > 2 * others  # type: ignore[operator]


def test_labels_disagree_and_are_corrected(volume: Volume) -> None:
    manual = rows(volume, OLDER, "allen_v1_column_types_slanted_ref")
    assert {"5P-PT", "Unsure", "Unsure E", "Unsure I"} <= set(manual["cell_type"])
    assert len(rows(volume, OLDER, "aibs_column_nonneuronal_ref")) >= 5
    model = rows(volume, NEWER, "aibs_metamodel_celltypes_v661")
    corrections = rows(volume, NEWER, "aibs_metamodel_celltypes_v661_corrections")
    assert {"unsure", "error"} <= set(corrections["cell_type"])
    joined = corrections.join(model, on="target_id")
    assert (joined["cell_type"] != joined["cell_type_right"]).any()
    baylor = rows(volume, OLDER, "baylor_log_reg_cell_type_coarse_v1").join(model, on="target_id")
    agree = pl.col("cell_type") == pl.col("classification_system_right").str.replace("_neuron", "")
    assert 0.8 < baylor.select(agree)["cell_type"].mean() < 1  # type: ignore[operator]
    assert "5P-ET" in set(model["cell_type"])


def test_cells_have_several_units_by_more_than_one_method(volume: Volume) -> None:
    tables = {
        name: rows(volume, OLDER, name).select("target_id", "session", "scan_idx", "unit_id", "score", "field")
        for name in volume.table_names(OLDER)
        if TABLES[name].role == "coregistration"
    }
    assert len(tables) == 4
    for name, units in tables.items():
        assert units.select("session", "scan_idx", "unit_id").is_duplicated().sum() == 0, name
        assert units["target_id"].is_duplicated().any(), name
        assert units["score"].null_count() > 0
    auto, vessel = tables["coregistration_auto_phase3_fwd_v2"], tables["apl_functional_coreg_vess_fwd"]
    same = auto.join(vessel, on=["target_id", "session", "scan_idx"])
    assert (same["unit_id"] != same["unit_id_right"]).any(), "the methods disagree"
    combined = tables["coregistration_auto_phase3_fwd_apl_vess_combined_v2"]
    agreed = same.filter(pl.col("unit_id") == pl.col("unit_id_right"))
    assert (
        combined.select("target_id", "unit_id")
        .sort("target_id", "unit_id")
        .equals(agreed.select("target_id", "unit_id").sort("target_id", "unit_id"))
    )


def test_both_angle_conventions_describe_the_same_units(volume: Volume) -> None:
    earlier = rows(volume, OLDER, "functional_properties_v3_bcm")
    twin = rows(volume, OLDER, "digital_twin_properties_bcm_coreg_v4")
    both = earlier.join(twin, on=["session", "scan_idx", "unit_id"], suffix="_deg")
    assert len(both) == len(earlier) == len(twin)
    assert len(twin) < len(rows(volume, OLDER, "coregistration_manual_v4")), "not every unit has properties"
    for name, turn in (("pref_ori", 180), ("pref_dir", 360)):
        radians = both[name].cast(pl.Float64).to_numpy()
        assert radians.min() >= 0
        assert radians.max() <= np.radians(turn) + 1e-6
        difference = (90 - np.degrees(radians) - both[f"{name}_deg"].cast(pl.Float64).to_numpy()) % turn
        assert np.minimum(difference, turn - difference).max() < 1e-3
    raw = volume.table(OLDER, "digital_twin_properties_bcm_coreg_v4")["cc_norm"]
    assert raw.null_count > 0
    assert np.isnan(raw.drop_null().to_numpy()).any(), "NaN and NULL are both there"
    normal = twin.filter(pl.col("cc_norm").is_not_null())
    assert (normal["cc_norm"] - normal["cc_abs"] / normal["cc_max"]).abs().max() < 1e-5  # type: ignore[operator]


def test_cells_changed_split_and_merged_between_the_versions(volume: Volume) -> None:
    older, newer = (view(volume, version, "nucleus_detection_lookup_v1") for version in (OLDER, NEWER))
    both = older.join(newer, on="id", suffix="_new").filter(pl.col("pt_root_id") > 1)
    changed = both.filter(pl.col("pt_root_id") != pl.col("pt_root_id_new"))
    assert 0.04 < len(changed) / len(both) < 0.12
    assert (changed.group_by("pt_root_id").agg(pl.col("pt_root_id_new").n_unique())["pt_root_id_new"] > 1).any()
    assert (changed.group_by("pt_root_id_new").agg(pl.col("pt_root_id").n_unique())["pt_root_id"] > 1).any()
    synapses = rows(volume, OLDER, SYNAPSE).join(rows(volume, NEWER, SYNAPSE), on="id", suffix="_new")
    cells, cells_new = both["pt_root_id"].implode(), both["pt_root_id_new"].implode()
    cut_off = pl.col("post_pt_root_id").is_in(cells) & ~pl.col("post_pt_root_id_new").is_in(cells_new)
    joined = ~pl.col("pre_pt_root_id").is_in(cells) & pl.col("pre_pt_root_id_new").is_in(cells_new)
    assert len(synapses.filter(cut_off & (pl.col("post_pt_root_id") > 1))) > 0, "split"
    assert len(synapses.filter(joined & (pl.col("pre_pt_root_id") > 1))) > 0, "an orphan axon found its cell"


def test_cell_info_follows_the_documented_precedence(volume: Volume) -> None:
    info = view(volume, NEWER, "aibs_cell_info")
    assert info["id"].is_unique().all()
    order = (
        "aibs_metamodel_celltypes_v661_corrections", "aibs_column_nonneuronal_ref",
        "allen_v1_column_types_slanted_ref", "aibs_metamodel_celltypes_v661",
    )  # fmt: skip
    expected: dict[int, tuple[str, str]] = {}
    for name in order:
        for target, word in rows(volume, NEWER, name).select("target_id", "cell_type").iter_rows():
            if word not in ("unsure", "error", "Unsure", "Unsure I", "Unsure E"):
                expected.setdefault(target, (word, name))
    found = {row[0]: row[1:] for row in info.select("id", "cell_type", "cell_type_source").iter_rows() if row[1]}
    assert found == expected
    assert set(info["cell_type_source"].drop_nulls()) == set(order)
    assert set(info["broad_type"].drop_nulls()) == {"excitatory", "inhibitory", "nonneuron"}


def test_connections_and_degrees_add_up_to_the_synapses(volume: Volume) -> None:
    synapses = rows(volume, OLDER, SYNAPSE).filter(pl.col("pre_pt_root_id") != 1)
    pairs = view(volume, OLDER, "connections_with_nuclei")
    assert pairs["n_syn"].sum() == len(synapses)
    assert pairs["sum_size"].sum() == synapses["size"].sum()
    degrees = view(volume, OLDER, "synapses_pni_2_in_out_degree")
    assert degrees["n_input"].sum() == degrees["n_output"].sum() == len(synapses)
    several = merged(volume, OLDER)["pt_root_id"].implode()
    assert pairs.filter(pl.col("post_pt_root_id").is_in(several))["post_nuc_id"].null_count() > 0
    assert pairs.filter(~pl.col("post_pt_root_id").is_in(several))["post_nuc_id"].count() > 0
    somata = view(volume, OLDER, "soma_counts")
    assert somata["total_count"].sum() == 300
