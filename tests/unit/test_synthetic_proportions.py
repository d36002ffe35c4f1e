"""Synthetic beside published: every proportion is printed and has a tolerance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest

from warehouse.demo.synthetic import Volume, published, space, synthesize
from warehouse.demo.synthetic.published import TYPES
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.logical import logical_rows

pytestmark = pytest.mark.slow

CELLS = 2_000


@dataclass(frozen=True)
class Line:
    """One line of the comparison; `within` is the largest factor by which the two may differ."""

    what: str
    synthetic: float
    published: float
    within: float

    def __str__(self) -> str:
        return f"{self.what:<64}{self.synthetic:>12.4f}{self.published:>12.4f}   factor {self.within}"

    @property
    def holds(self) -> bool:
        return self.published / self.within <= self.synthetic <= self.published * self.within


@pytest.fixture(scope="module")
def volume() -> Volume:
    return synthesize(CELLS, seed=0)


def rows(volume: Volume, version: int, name: str) -> pl.DataFrame:
    frame = pl.from_arrow(logical_rows(TABLES[name], volume.table(version, name)))
    assert isinstance(frame, pl.DataFrame)
    return frame


def connected_pairs(volume: Volume) -> pl.DataFrame:
    """Connected pairs of segments with their number of synapses, without autapses."""
    parts = [pl.from_arrow(batch.select(["pre_pt_root_id", "post_pt_root_id"])) for batch in volume.stream(1507)]
    synapses = pl.concat([part for part in parts if isinstance(part, pl.DataFrame)])
    pairs = synapses.select(pre="pre_pt_root_id", post="post_pt_root_id").filter(pl.col("pre") != pl.col("post"))
    return pairs.group_by("pre", "post").len()


def share(hits: pl.Series) -> float:
    """The fraction of rows that are hit."""
    return float(hits.to_numpy().mean())


def check(lines: list[Line]) -> None:
    print(f"\n{'':<64}{'synthetic':>12}{'published':>12}")
    print(*lines, sep="\n")
    failed = [str(line) for line in lines if not line.holds]
    assert not failed, "\n".join(failed)


def test_cells(volume: Volume) -> None:
    sizes = {
        "aibs_metamodel_celltypes_v661": (published.TYPED_NUCLEI, 1.02),
        "aibs_metamodel_mtypes_v661_v2": (published.TYPED_NEURONS, 1.02),
        "baylor_log_reg_cell_type_coarse_v1": (published.BAYLOR_NEURONS, 1.02),
        "nucleus_alternative_points": (published.ALTERNATIVE_POINTS, 1.02),
        "allen_v1_column_types_slanted_ref": (published.COLUMN_NEURONS, 1.6),
        "aibs_column_nonneuronal_ref": (published.COLUMN_NONNEURONS, 2.2),
        "coregistration_manual_v4": (published.MANUAL_MATCHES[1], 1.2),
        "coregistration_auto_phase3_fwd_apl_vess_combined_v2": (published.COMBINED_MATCHES[1], 1.3),
        "proofreading_status_and_strategy": (sum(published.STRATEGIES_1507), 1.05),
    }
    lines = [
        Line(
            f"rows per nucleus, {name[:34]}",
            len(rows(volume, 1507, name)) / CELLS,
            count / published.NUCLEI,
            within,
        )
        for name, (count, within) in sizes.items()
    ]
    areas = rows(volume, 1507, "nucleus_functional_area_assignment")["tag"]
    for area, count in zip(published.AREAS, published.AREA_NUCLEI, strict=True):
        within = 2.0 if area == "LM" else 1.12
        lines.append(Line(f"nuclei in {area}", share(areas == area), count / published.NUCLEI, within))
    check(lines)


def test_types_depths_and_nuclei(volume: Volume) -> None:
    types = rows(volume, 1507, "aibs_metamodel_celltypes_v661")
    nuclei = rows(volume, 1507, "nucleus_detection_v0")
    cells = types.join(nuclei, left_on="target_id", right_on="id")
    positions = cells.select("pt_position_x", "pt_position_y", "pt_position_z").to_numpy().astype(np.int64)
    cells = cells.with_columns(depth=pl.Series(space.depth_um(positions)))
    total = sum(kind.count for kind in TYPES)
    lines = []
    for kind in TYPES:
        members = cells.filter(pl.col("cell_type") == kind.name)
        expected = kind.count / total
        within = 1.3 if expected > 0.03 else 2.5
        lines.append(Line(f"share of {kind.name}", len(members) / len(cells), expected, within))
        if kind.cell_class == published.EXCITATORY:
            depth = float(np.median(members["depth"].to_numpy()))
            within = 1.15 if expected > 0.03 else 1.3
            lines.append(Line(f"median depth of {kind.name} (um)", depth, kind.depth_um, within))
    check(lines)
    volumes = cells.group_by("classification_system").agg(pl.col("volume").median())
    medians = dict(volumes.iter_rows())
    assert min(medians["excitatory_neuron"], medians["inhibitory_neuron"]) > 1.5 * medians["nonneuron"]


def test_synapses(volume: Volume) -> None:
    synapses = rows(volume, 1507, SYNAPSE)
    lookup = pl.from_arrow(volume.view(1507, "nucleus_detection_lookup_v1"))
    assert isinstance(lookup, pl.DataFrame)
    roots = lookup.filter(pl.col("pt_root_id") > 1)["pt_root_id"].implode()
    pre, post = synapses["pre_pt_root_id"], synapses["post_pt_root_id"]
    lines = [
        Line("synapses on a root with a nucleus", share(post.is_in(roots)), published.NUCLEUS_INPUTS, 1.03),
        Line("side outside the segmentation", share((pre == 0) | (post == 0)), published.ROOT_ZERO, 1.2),
        Line("synapses with a tag", _tagged(volume) / len(synapses), published.TARGETS_CLASSIFIED, 1.02),
        Line("synapses in all", len(synapses), 400_000, 1.0),
    ]
    check(lines)


def _tagged(volume: Volume) -> int:
    return len(rows(volume, 1507, "synapse_target_predictions_ssa"))


def test_strategies(volume: Volume) -> None:
    lines = []
    for version, counts in ((1507, published.STRATEGIES_1507), (1718, published.STRATEGIES_1718)):
        table = rows(volume, version, "proofreading_status_and_strategy")
        for name, count in zip(published.AXON_STRATEGIES, counts, strict=True):
            within = 1.2 if count > 1_000 else 2.5
            lines.append(
                Line(f"{name}, v{version}", share(table["strategy_axon"] == name), count / sum(counts), within)
            )
    check(lines)


def test_connection_probability_between_proofread_cells() -> None:
    """Summed over seeds, since a volume of 2,000 cells has some 25 proofread axons."""
    counts = np.zeros((2, 2, 3))
    for seed in range(5):
        counts += _pairs(synthesize(CELLS, seed))
    lines = []
    for a, pre in enumerate("EI"):
        probability = np.array(published.CONNECTION_PROBABILITY[a])
        for b, post in enumerate("EI"):
            possible, connected, _ = counts[a, b]
            lines.append(Line(f"connected {pre} to {post}", connected / possible, probability[b], 2.2))
        possible, connected, several = counts[a].T
        expected = (probability * published.SEVERAL_SYNAPSES[a] * possible).sum() / (probability * possible).sum()
        lines.append(Line(f"several synapses from {pre}", several.sum() / connected.sum(), expected, 1.6))
    check(lines)


def _pairs(volume: Volume) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Possible pairs, connected pairs and pairs with several synapses, [pre class][post class]."""
    info = pl.from_arrow(volume.view(1507, "aibs_cell_info"))
    assert isinstance(info, pl.DataFrame)
    cells = info.filter("axon_cleaned").select("pt_root_id", "broad_type")
    pairs = connected_pairs(volume)
    found = np.zeros((2, 2, 3))
    for a, pre in enumerate(("excitatory", "inhibitory")):
        for b, post in enumerate(("excitatory", "inhibitory")):
            sources = cells.filter(pl.col("broad_type") == pre)["pt_root_id"]
            targets = cells.filter(pl.col("broad_type") == post)["pt_root_id"]
            hit = pairs.filter(pl.col("pre").is_in(sources.implode()) & pl.col("post").is_in(targets.implode()))
            possible = len(sources) * len(targets) - (len(sources) if a == b else 0)
            found[a, b] = possible, len(hit), (hit["len"] > 1).sum()
    return found


def test_connected_recorded_cells_are_a_little_more_alike() -> None:
    differences = []
    for seed in range(4):
        volume = synthesize(CELLS, seed)
        twin = rows(volume, 1507, "digital_twin_properties_bcm_coreg_auto_phase3_fwd_v2")
        lookup = pl.from_arrow(volume.view(1507, "nucleus_detection_lookup_v1"))
        assert isinstance(lookup, pl.DataFrame)
        tuning = twin.group_by("target_id").agg(pl.col("pref_ori").first())
        cells = tuning.join(lookup.select("id", "pt_root_id"), left_on="target_id", right_on="id")
        cells = cells.filter(pl.col("pt_root_id").is_unique()).select("pt_root_id", "pref_ori")
        joined = (
            connected_pairs(volume)
            .join(cells, left_on="pre", right_on="pt_root_id")
            .join(cells, left_on="post", right_on="pt_root_id", suffix="_post")
        )
        apart = (joined["pref_ori"] - joined["pref_ori_post"]).abs().to_numpy()
        differences.append(np.minimum(apart, 180 - apart))
    mean = float(np.concatenate(differences).mean())
    print(f"\nmean difference of orientation: connected {mean:.1f} deg, by chance 45.0 deg")
    assert 38 < mean < 44.5


def test_the_volume_is_made_quickly() -> None:
    """Generous: a loaded machine must not fail it; on a calm one it takes well under a second."""
    from time import process_time

    start = process_time()
    synthesize(CELLS, seed=5).table(1507, SYNAPSE)
    assert process_time() - start < 5
