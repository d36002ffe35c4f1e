"""A bucket that fails: what arrived is kept, and nothing wrong is published."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ingest.archive import source as archive_source
from ingest.cave.service import CaveService
from ingest.files.remote import FolderFiles, HttpFiles
from ingest.files.retry import RetryPolicy
from ingest.job.sources import Sources
from ingest.parts.progress import Silent
from warehouse.demo import faults
from warehouse.demo.bucket import PLACE, serve_bucket
from warehouse.errors import SchemaDrift, SourceRefused, SourceUnavailable, UsageError
from warehouse.registry.datastacks import MINNIE65
from warehouse.registry.tables import NUCLEUS, SYNAPSE
from warehouse.serve.gate import Fault, Reply

DATA = rf"{NUCLEUS}_merged\.csv\.gz"
SYNAPSES = r"synapses_pni_2_v1_filtered_view\.csv\.gz"


def test_a_connection_that_breaks_is_continued_where_it_broke(library: Any) -> None:
    library.bucket.faults.add(SYNAPSES, faults.reset(0.4), times=3, skip=1)
    manifest = library.take(SYNAPSE, synapses="all")
    assert library.bucket.faults.hits == 3
    statuses = [entry.status for entry in library.bucket.requests if SYNAPSES[:20] in entry.path]
    assert statuses.count(206) == 3
    assert manifest.tables[SYNAPSE].rows == library.rows(SYNAPSE).num_rows > 15_000


def test_a_job_that_gave_up_continues_with_what_it_had(library: Any, files: Path) -> None:
    library.bucket.faults.add(SYNAPSES, faults.reset(0.6), times=1, skip=1)
    library.bucket.faults.add(SYNAPSES, faults.unavailable(), times=None, skip=2)
    with pytest.raises(SourceUnavailable, match="status 503"):
        library.take(SYNAPSE, synapses="all")
    size = (files / PLACE / "v1507" / "synapses_pni_2_v1_filtered_view.csv.gz").stat().st_size
    (kept,) = library.folder.path.glob(f".fetch-*/{SYNAPSE}.archive/download")
    assert kept.stat().st_size == pytest.approx(0.6 * size, rel=0.01)
    library.bucket.faults.clear()
    before = len(library.bucket.requests)
    library.take(SYNAPSE, synapses="all")
    sent = [entry.status for entry in library.bucket.requests[before:] if entry.path.endswith("view.csv.gz")]
    assert sent == [200, 206]  # one HEAD, one rest
    assert not kept.exists()


def test_a_server_that_knows_no_ranges_is_read_past_what_is_here(
    library: Any, files: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """As Python's own file server, which a class may well use."""
    content = (files / PLACE / "v1507" / "synapses_pni_2_v1_filtered_view.csv.gz").read_bytes()

    def whole(reply: Reply) -> Reply:
        headers = (*reply.without("content-length").headers, ("Content-Length", str(len(content))))
        return replace(reply, status=200, headers=headers, content=content).without("content-range")

    library.bucket.faults.add(SYNAPSES, faults.reset(0.6), times=1, skip=1)
    library.bucket.faults.add(SYNAPSES, Fault(change=whole), times=None, skip=2)
    rows = library.take(SYNAPSE, synapses="all").tables[SYNAPSE].rows
    assert rows == library.rows(SYNAPSE).num_rows > 15_000
    assert "the server can only send all of it" in caplog.text


def test_a_public_file_that_was_replaced_is_refused_unless_its_place_is_named(
    library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MINNIE65.__dict__, "archive", library.url)
    monkeypatch.setitem(archive_source._PUBLISHED, f"v1507/{NUCLEUS}_merged.csv.gz", 64 * "0")
    with pytest.raises(SourceRefused, match=rf"is not the file that was published: .* --from {library.url}$"):
        library.take(NUCLEUS)
    assert not library.folder.manifest(1507).exists()
    name = library.folder.datastack
    places = Sources(name, lambda: CaveService(name), location=library.url)
    named = places.connect("archive", 1507, "proofread", Silent())
    assert library.take(NUCLEUS, origin=named).tables[NUCLEUS].rows == 200


def test_what_was_kept_of_another_file_is_not_continued(library: Any, files: Path, tmp_path: Path) -> None:
    library.bucket.faults.add(SYNAPSES, faults.reset(0.5), times=1, skip=1)
    library.bucket.faults.add(SYNAPSES, faults.unavailable(), times=None, skip=2)
    with pytest.raises(SourceUnavailable):
        library.take(SYNAPSE, synapses="all")
    library.bucket.faults.clear()
    other = tmp_path / "other" / PLACE / "v1507"
    other.mkdir(parents=True)
    for name in ("synapses_pni_2_v1_filtered_view.csv.gz", "synapses_pni_2_v1_filtered_view_header.csv"):
        content = (files / PLACE / "v1507" / name).read_bytes()
        if name.endswith(".gz"):
            lines = gzip.decompress(content).splitlines(keepends=True)
            content = gzip.compress(b"".join(lines[:100]))
        (other / name).write_bytes(content)
    with serve_bucket(tmp_path / "other") as second:
        library.bucket = second
        assert library.take(SYNAPSE, synapses="all").tables[SYNAPSE].rows == 100


def test_another_size_than_was_told_is_refused(library: Any) -> None:
    def larger(reply: Reply) -> Reply:
        kept = reply.without("content-length")
        return replace(kept, headers=(*kept.headers, ("Content-Length", "99999999")))

    library.bucket.faults.add(DATA, Fault(change=larger))
    with pytest.raises(SourceRefused, match=r"is not what it was when it was begun"):
        library.take(NUCLEUS)
    assert not library.folder.manifest(1507).exists()


def test_bytes_that_changed_on_the_way_are_refused_and_fetched_anew(library: Any) -> None:
    def flipped(reply: Reply) -> Reply:
        content = bytearray(reply.content)
        if content:
            content[4] ^= 1  # the time in the gzip header: it still unpacks, and only the hash tells
        return replace(reply, content=bytes(content))

    library.bucket.faults.add(DATA, Fault(change=flipped), skip=1)
    with pytest.raises(SourceUnavailable, match=r"damaged \(other bytes\).*begins anew"):
        library.take(NUCLEUS)
    assert not library.folder.manifest(1507).exists()
    assert library.take(NUCLEUS).tables[NUCLEUS].rows == 200


def test_a_copy_that_is_cut_short_is_said(library: Any, files: Path, tmp_path: Path) -> None:
    place = tmp_path / "copy" / "v1507"
    place.mkdir(parents=True)
    for path in (files / PLACE / "v1507").glob(f"{NUCLEUS}_merged*"):
        content = path.read_bytes()
        (place / path.name).write_bytes(content[: len(content) // 2] if path.suffix == ".gz" else content)
    origin = library.origin()
    origin.bucket = FolderFiles(tmp_path / "copy")
    with pytest.raises(SourceUnavailable, match=r"merged.csv.gz is damaged \(.*\): nothing of it is published"):
        library.take(NUCLEUS, origin=origin)
    assert (place / f"{NUCLEUS}_merged.csv.gz").exists()


def test_outages_and_slowness_are_waited_for(library: Any) -> None:
    library.bucket.faults.add(r"_header\.csv", faults.unavailable(), times=2)
    library.bucket.faults.add(DATA, faults.delay(1.0), times=1, skip=1)
    library.bucket.faults.add(DATA, faults.unavailable(), times=2, skip=2)
    assert library.take(NUCLEUS, origin=library.origin(read=0.4)).tables[NUCLEUS].rows == 200


def test_a_404_is_no_error(library: Any) -> None:
    library.bucket.faults.add(r"functional_properties_v3_bcm", faults.instead(404, "gone"), times=None)
    manifest = library.take(synapses="proofread")
    assert "not in the archive of version 1507" in manifest.absent["functional_properties_v3_bcm"]


def test_a_refusal_is_not_tried_again(library: Any) -> None:
    library.bucket.faults.add(r"_header\.csv", faults.instead(403, "no"), times=None)
    with pytest.raises(SourceRefused, match="status 403"):
        library.take(NUCLEUS)


def test_nobody_there() -> None:
    bucket = HttpFiles("http://127.0.0.1:9/x", RetryPolicy(first_attempts=2))
    with pytest.raises(SourceUnavailable, match="cannot be reached"):
        bucket.find("v1/a.csv.gz")


def test_a_header_with_an_unknown_type_fails_loudly(library: Any, files: Path, tmp_path: Path) -> None:
    place = tmp_path / "copy" / "v1507"
    place.mkdir(parents=True)
    for path in (files / PLACE / "v1507").glob(f"{NUCLEUS}_merged*"):
        (place / path.name).write_bytes(path.read_bytes())
    header = place / f"{NUCLEUS}_merged_header.csv"
    header.write_text(header.read_text().replace("double precision", "money"))
    origin = library.origin()
    origin.bucket = FolderFiles(tmp_path / "copy")
    with pytest.raises(SchemaDrift, match=r"volume is of type money"):
        library.take(NUCLEUS, origin=origin)
    header.write_text(header.read_text().replace("money", "bigint"))
    with pytest.raises(SchemaDrift, match="does not hold what its header says"):
        library.take(NUCLEUS, origin=origin)
    header.write_text(header.read_text().replace("pt_root_id", "other_id"))
    with pytest.raises(SchemaDrift, match=r"lacks the columns pt_root_id"):
        library.take(NUCLEUS, origin=origin)


def test_a_place_that_is_none() -> None:
    from ingest.files.remote import remote_files_at

    with pytest.raises(UsageError, match="no such folder"):
        remote_files_at("nowhere")
    with pytest.raises(UsageError, match="https://"):
        remote_files_at("ftp://x/y")
