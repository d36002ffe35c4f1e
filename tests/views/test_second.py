"""The views of populations against the second implementation: a synthetic volume, and tables of a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from tests.views import second, second_function
from tests.views.second_function import Tables
from tests.views.test_recorded import Tables as Recorded
from tests.views.test_recorded import cells, proofreading
from warehouse.catalog.build import build
from warehouse.demo.synthetic import synthesize
from warehouse.query.session import connect
from warehouse.registry.tables import SYNAPSE, TABLES
from warehouse.storage.clustering import cluster_synapses
from warehouse.storage.files import write_table
from warehouse.storage.logical import logical_rows
from warehouse.storage.manifest import Manifest
from warehouse.storage.paths import Folder
from warehouse.storage.publish import publish

pytestmark = pytest.mark.slow

Ask = Callable[[str], pl.DataFrame]
Answers = dict[str, pl.DataFrame]
TAGS = ("synapse_target_predictions_ssa_v2", "synapse_target_predictions_ssa")
"""The later release first."""


def expected(nuclei: pl.DataFrame, axons: pl.Series, tables: Tables) -> Answers:
    """What the second implementation answers, by the query that asks the first."""
    synapses = tables[SYNAPSE].with_columns(pl.col("pre_pt_root_id", "post_pt_root_id").fill_null(1))
    tags = [tables[name] for name in TAGS if name in tables]
    distance = "FROM distance_dependence WHERE measure ="
    return {
        "FROM cell_type_connectivity WHERE n_possible > 0": second.cell_type_connectivity(nuclei, synapses),
        "FROM connectivity_by_cell WHERE n_possible > 0": second.connectivity_by_cell(nuclei, synapses),
        f"{distance} 'space'": second.distance_dependence(nuclei, synapses, "space"),
        f"{distance} 'lateral'": second.distance_dependence(nuclei, synapses, "lateral"),
        "FROM reciprocal_pairs": second.reciprocal_pairs(nuclei, synapses),
        "FROM ei_balance": second.ei_balance(nuclei, synapses, axons, tags),
        "FROM functional_units": second_function.functional_units(tables),
        "FROM functional_best": second_function.functional_best(tables),
        "FROM functional_pairs": second_function.functional_pairs(tables, nuclei, synapses),
    }


def compare(ask: Ask, answers: Answers) -> None:
    for query, theirs in answers.items():
        ours = ask(f"SELECT {', '.join(theirs.columns)} {query}")
        assert_frame_equal(ours, theirs, check_row_order=False, check_dtypes=False)


@pytest.mark.parametrize("version", [943, 1300])
def test_recorded_tables(shared_dir: Path, recorded: Callable[[int, str], pl.DataFrame], version: int) -> None:
    folder = shared_dir / "cave-recordings" / "tables" / f"v{version}"
    tables = Recorded(folder)
    places = tables("nucleus_detection_v0").select(
        pl.col("id").alias("nucleus_id"),
        *(
            (pl.col(f"pt_position_{axis}") * size).alias(f"{axis}_nm")
            for axis, size in zip("xyz", (4, 4, 40), strict=True)
        ),
    )
    proofread = proofreading(tables, version).filter(pl.col("status_axon"), pl.col("strategy_axon") != "none")
    nuclei = cells(tables, version).join(places, on="nucleus_id")
    every = {path.stem: tables(path.stem) for path in folder.glob("*.parquet")}
    answers = expected(nuclei, proofread["pt_root_id"], every)
    assert all(len(frame) for frame in answers.values())
    compare(lambda query: recorded(version, query), answers)


def answers_of(ask: Ask) -> Answers:
    """The second implementation on the synthetic volume; what a cell is called is not its business there."""
    proofread = ask("SELECT pt_root_id FROM proofreading WHERE status_axon AND strategy_axon <> 'none'")
    names = (SYNAPSE, *TAGS, *second_function.MATCHES.values(), *second_function.TWINS, second_function.OLDER)
    return expected(ask("FROM cells"), proofread["pt_root_id"], {name: ask(f"FROM {name}") for name in names})


@pytest.fixture(scope="module")
def demo(synthetic: Folder) -> Iterator[Ask]:
    with connect(root=synthetic.path.parent) as opened:
        yield lambda query: opened.sql(query).pl()


def test_a_synthetic_volume(demo: Ask) -> None:
    answers = answers_of(demo)
    assert answers["FROM reciprocal_pairs"]["is_reciprocal"].any()
    assert answers["FROM functional_units"]["tuning_source"].n_unique() > 3
    assert answers["FROM functional_pairs"]["is_connected"].any()
    assert answers["FROM ei_balance"].select("^n_(spine|shaft|soma|untagged)_syn$").sum().row(0) > (0, 0, 0, 0)
    assert all(len(frame) for frame in answers.values())
    compare(demo, answers)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**31), n_parts=st.integers(1, 5))
def test_order_of_rows_parts_and_root_ids_do_not_matter(
    demo: Ask, tmp_path_factory: pytest.TempPathFactory, seed: int, n_parts: int
) -> None:
    """The same cells with other root ids, rows in another order, synapses in several files: the same answers."""
    folder = Folder.of(tmp_path_factory.mktemp("shuffled"))
    volume = synthesize(cells=200)
    version = volume.versions[0]
    frames = {
        name: pl.DataFrame(pl.from_arrow(logical_rows(TABLES[name], volume.table(version.version, name))))
        for name in volume.table_names(version.version)
    }
    roots = pl.concat(
        frame.select(pl.concat_list(pl.col("^.*_root_id$")).explode().cast(pl.Int64)).to_series().rename("root")
        for frame in frames.values()
        if any(name.endswith("_root_id") for name in frame.columns)
    )
    before = roots.unique().sort().drop_nulls()
    before = before.filter(before > 1)
    renamed = dict(zip(before, before.sample(fraction=1, shuffle=True, seed=seed), strict=True))
    assembled = folder.staging(version.version)
    entries = {}
    for name, frame in frames.items():
        keys = [each for each in frame.columns if each.endswith("_root_id") or each == "valid_id"]
        shuffled = frame.with_columns(pl.col(keys).replace(renamed)).sample(fraction=1, shuffle=True, seed=seed)
        schema = TABLES[name].arrow_schema
        rows = shuffled.to_arrow().select(schema.names).cast(schema)
        if name == SYNAPSE:
            parts = tmp_path_factory.mktemp("parts")
            for number in range(n_parts):
                pl.DataFrame(pl.from_arrow(rows))[number::n_parts].write_parquet(parts / f"{number}.parquet")
            entries[name] = cluster_synapses(assembled, TABLES[name], sorted(parts.glob("*")), source="synthetic")
        else:
            entries[name] = write_table(assembled, TABLES[name], rows, source="synthetic")
    stamp = version.time_stamp.isoformat()
    publish(folder, assembled, Manifest(folder.datastack, version.version, stamp, entries))
    build(folder)
    with connect(root=folder.path.parent) as opened:
        compare(lambda query: opened.sql(query).pl(), answers_of(demo))
