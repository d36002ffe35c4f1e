"""Old versions out of the archive: few tables, older names, and views that answer or say why they cannot."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.archive.source import ArchiveSource
from ingest.files.remote import FolderFiles
from tests.conftest import assert_views_answer_or_refuse, filled
from warehouse.catalog.build import build
from warehouse.demo.bucket import PLACE
from warehouse.demo.synthetic import Volume
from warehouse.demo.synthetic.exports import FILTERED_SYNAPSES, write_dump
from warehouse.errors import SourceRefused
from warehouse.query.session import connect
from warehouse.registry.tables import NUCLEUS, SYNAPSE, TABLES

OLD_PROOFREADING = "proofreading_status_public_release"


@pytest.fixture
def old(files: Path, volume: Volume, tmp_path: Path) -> ArchiveSource:
    """943 has the older table of proofreading and is merged; 117 is not, and has none."""
    place = tmp_path / "archive"
    for version, nuclei in ((943, f"{NUCLEUS}_merged"), (117, NUCLEUS)):
        (place / f"v{version}").mkdir(parents=True)
        for ending in (".csv.gz", "_header.csv"):
            for source, name in ((f"{NUCLEUS}_merged", nuclei), (FILTERED_SYNAPSES, FILTERED_SYNAPSES)):
                source_at = files / PLACE / "v1507" / f"{source}{ending}"
                shutil.copy(source_at, place / f"v{version}" / f"{name}{ending}")
    roots = [root for root in volume.table(1507, NUCLEUS)["pt_root_id"].to_pylist() if root][:3]
    rows = "".join(f"{root} | {root} | extended | clean\n" for root in roots)
    assessed = filled(TABLES[OLD_PROOFREADING], f"pt_root_id | valid_id | status_axon | status_dendrite\n{rows}")
    assessed = assessed.drop_columns(["created", "superceded_id", "valid"])  # as merged files are
    write_dump(place / "v943" / f"{OLD_PROOFREADING}_merged", [assessed])
    return ArchiveSource("minnie65_public", FolderFiles(place))


@pytest.mark.slow
def test_old_versions_are_built_and_their_views_answer_or_refuse(library: Any, old: ArchiveSource) -> None:
    tables = {943: {NUCLEUS, SYNAPSE, OLD_PROOFREADING}, 117: {NUCLEUS, SYNAPSE}}
    for version, names in tables.items():
        manifest = library.take(version=version, synapses="all", origin=old)
        assert set(manifest.tables) == names
        assert "not in the archive" in manifest.absent["aibs_metamodel_celltypes_v661"]
    build(library.folder)
    able = {}
    for version in tables:
        with connect(version, library.folder.path.parent) as warehouse:
            sentence = f"which version {version} does not have: not in the archive|snapshot {version} --skeletons"
            able[version] = assert_views_answer_or_refuse(warehouse, sentence)
            assert warehouse.sql("SELECT count(*) FROM synapses").fetchall()[0][0] > 15_000
            if version == 943:
                assert warehouse.sql("SELECT count(*) FROM proofreading WHERE status_axon").fetchall() == [(3,)]
            else:
                with pytest.raises(duckdb.Error, match="proofreading needs the table"):
                    warehouse.sql("FROM proofreading").fetchall()
    assert {"cells", "synapses", "connections"} <= able[117] < able[943]


def test_the_proofread_synapses_of_an_old_version_say_what_the_choices_cost(
    library: Any, old: ArchiveSource
) -> None:
    with pytest.raises(SourceRefused, match=r"version 943 has no file of the synapses of proofread axons alone"):
        library.take(version=943, origin=old)
