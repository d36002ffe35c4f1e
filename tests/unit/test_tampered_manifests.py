"""A manifest that somebody has changed: one sentence, or the same answers, and nothing else happens."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from warehouse.bundle.choice import Choice
from warehouse.bundle.write import make_bundle
from warehouse.catalog.build import build
from warehouse.catalog.committed import read_committed
from warehouse.errors import SnapshotDamaged, WarehouseError
from warehouse.query.session import connect
from warehouse.storage.manifest import read_manifest
from warehouse.storage.paths import Folder

if TYPE_CHECKING:
    from tests.conftest import SmallWarehouse

SYNAPSES = "id | pre_pt_root_id | post_pt_root_id | size\n1 | 10 | 20 | 100\n2 | 20 | 30 | 60\n3 | 10 | 30 | 40"
NUCLEI = "id | pt_root_id\n101 | 10\n102 | 20\n103 | 30"
OUTSIDE = "written_by_sql"
"""The name of a file that no manifest may write: hostile texts try to, into the working directory."""
COPY = f"COPY (SELECT 1) TO '{OUTSIDE}'"
HOSTILE = (
    f"x;{COPY};SELECT 1",
    f"x';{COPY};--",
    f'x";{COPY};--',
    f"x');{COPY};--",
    f'x"); {COPY}; SELECT ("',
    "x' || (SELECT content FROM read_text('/etc/passwd')) || '",
    "\x1b[2J\n\ttwo lines, é, \U0001f9e0, $$ /* -- ",
)
SYNAPSE, NUCLEUS, STORED = "tables/synapses_pni_2", "tables/nucleus_detection_v0", "models/_cell_connections"
DROP = object()
NUMBERS: tuple[Any, ...] = (DROP, None, "7", f"7;{COPY}", 7.5, -1, 2**80, True, [], {})
TEXTS: tuple[Any, ...] = (None, 7, True, [], {}, "a\0b")
LISTS: tuple[Any, ...] = (DROP, None, "a", 7, {}, [None], [[]])
PATHS: tuple[Any, ...] = (
    DROP,
    None,
    7,
    [],
    "",
    "../secret/part-0.parquet",
    "cave/../../secret/part-0.parquet",
    "cave/./t/part-0.parquet",
    "cave//t/part-0.parquet",
    "/etc/passwd",
    "C:/secret/part-0.parquet",
    "cave\\t\\part-0.parquet",
    "cave/t/part-0.parquet\n",
    "cave/t\0/part-0.parquet",
    "cave/t'/part-0.parquet",
    "cave/*/part-0.parquet",
    "cave/t/" + HOSTILE[3],
    "https://example.org/part-0.parquet",
)
KINDS: tuple[Any, ...] = (
    None,
    7,
    "",
    "BIGINT\0",
    "BIGINT\n",
    "BIGINT AS a, (SELECT content FROM read_text('/etc/passwd'))",
    f"BIGINT; {COPY}; SELECT 1",
    "INTEGER, (SELECT count() FROM duckdb_settings())",
    "bigint",
    "STRUCT(a BIGINT)",
    "BIGINT[(SELECT 1)]",
)


def each(pointer: str, *values: Any) -> list[tuple[str, Any]]:
    """Wrong values for one place in a manifest."""
    return [(pointer, value) for value in values]


REFUSED: list[tuple[str, Any]] = [
    *each("version", *NUMBERS, 0, 8, 2**31),
    *each("format_version", None, "1", 7.5, -1, 2, 2**80, []),
    *each("needs", None, "base", [7], ["time-travel"], HOSTILE[:1]),
    *each("datastack", DROP, *TEXTS, "", "../x", "a/b", ".a", *HOSTILE),
    *each("time_stamp", DROP, *TEXTS, "now", "2026-13-01T00:00:00", *HOSTILE),
    *each("published", *TEXTS, "today", HOSTILE[0]),
    *each("layout", *TEXTS, "half", HOSTILE[0]),
    *each("tools", None, 7, [], {"a": 7}, {"a": "b\0"}),
    *each("absent", None, 7, [], {"a": 7}, {"../../a": "b"}, {"a\0": "b"}),
    *each("tables", DROP, None, 7, [], "a", {"a": 7}, {"a": None}, {"a": {}}, {"a": []}),
    *each("models", None, 7, [], "a", {"a": 7}, {"a": {}}),
    *((f"tables/{name}", "copy") for name in ("../../a", "a/b", "a\\b", "a:b", "a\0b", "", "SYNAPSES_PNI_2")),
    *(
        (f"{table}/{name}", value)
        for table in (SYNAPSE, STORED)
        for name, values in (
            ("source", (DROP, *TEXTS)),
            ("url", (DROP, *TEXTS)),
            ("scope", (DROP, *TEXTS)),
            ("rows", NUMBERS),
            ("files", (*LISTS, [])),
            ("columns", (DROP, None, 7, [], "a", {}, {"": "BIGINT"}, {"a\0b": "BIGINT"})),
            ("columns", ({"id": "BIGINT", "ID": "BIGINT"},)),
            ("encoding", (None, 7, "zip-9", "", *HOSTILE[:3])),
            ("bounds", (None, "a", ["1"], [1.5], [2**63], [2, 1], [1, 1], HOSTILE[:1])),
            ("fetched", (*TEXTS, "yesterday")),
            ("source_rows", ("7", -1, 7.5, [])),
            ("source_bytes", ("7", -1, 7.5, [])),
            ("source_sha256", (None, 7, "abc", "G" * 64, "a" * 64 + "\n")),
            ("citations", (None, "a", 7, [7], {})),
            ("voxel_resolution", (None, "a", ["4"], 7, [4, 4])),
            ("base", (7, "a", [], {}, {"version": 943})),
            ("lineages", (None, 7, {}, [7], [{}], [{"version": 943, "file": {}}])),
            ("table", TEXTS),
            *((text, TEXTS) for text in ("schema_type", "description", "notice_text", "reference_table")),
            ("made_from", TEXTS),
        )
        for value in values
    ),
    *((f"{table}/columns/id", kind) for table in (SYNAPSE, NUCLEUS) for kind in KINDS),
    *(
        (f"{table}/files/0/{name}", value)
        for table in (SYNAPSE, NUCLEUS, STORED)
        for name, values in (
            ("path", PATHS),
            ("bytes", NUMBERS),
            ("rows", NUMBERS),
            ("sha256", (DROP, None, 7, "", "abc", "A" * 64, "0" * 64 + "\n")),
            ("min", (True, [], {}, 7.5, 2**63, "a\0", "seven")),
            ("max", (True, [], {}, 7.5, 2**63, "a\0")),
        )
        for value in values
    ),
]
BASE: dict[str, Any] = {
    "version": 943,
    "files": [{"path": "cave/a/part-0.parquet", "bytes": 1, "sha256": "0" * 64, "rows": 1}],
    "retired": [],
    "dead": [],
    "changed": 0,
    "added": 0,
    "removed": 0,
    "checksum": "",
}
WRONG_BASES: tuple[dict[str, Any], ...] = (
    {"version": f"943;{COPY}"},
    {"files": []},
    {"files": [{"path": "../a"}]},
    {"retired": 7},
    {"dead": [7]},
    {"retired": [{**BASE["files"][0], "path": "../../a.parquet"}]},
    {"checksum": 7},
    {"changed": "1"},
)
REFUSED += each(f"{SYNAPSE}/base", *(BASE | change for change in WRONG_BASES))
WHOLE = (
    b"",
    b"null",
    b"7",
    b'"a"',
    b"[]",
    b"[{}]",
    b"{}",
    b"{",
    b"\xff\xfe{}",
    b"[" * 100_000,
    b'{"version": NaN}',
    b'{"datastack": "\\ud800"}',
    b'{"tables": ' * 2_000,
)


def changed(content: Any, pointer: str, value: Any) -> Any:
    """A copy of a manifest with a value at a place, or with nothing there."""
    content = json.loads(json.dumps(content))
    place = content
    *above, last = pointer.split("/", 1) if value == "copy" else pointer.split("/")
    for key in above:
        place = place[int(key)] if isinstance(place, list) else place[key]
    if value is DROP:
        del place[last]
    else:
        place[last] = place["synapses_pni_2"] if value == "copy" else value
    return content


@pytest.fixture(scope="module")
def sound(small_module: SmallWarehouse) -> Folder:
    small_module.given(1718, synapses_pni_2=SYNAPSES, nucleus_detection_v0=NUCLEI)
    build(small_module.folder)
    return small_module.folder


@pytest.fixture(scope="module")
def shared(sound: Folder, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A copy whose manifest the tests replace."""
    root = tmp_path_factory.mktemp("tampered")
    shutil.copytree(sound.path, root / sound.datastack)
    return Folder.of(root)


@pytest.fixture
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working directory, in which nothing may appear."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


def files_of(folder: Folder) -> dict[str, int]:
    """All files but manifests and locks, with when they were written."""
    files = (path for path in folder.path.rglob("*") if path.is_file())
    files = (path for path in files if not path.name.endswith(".lock") and not path.name.startswith("manifest"))
    return {str(path): path.stat().st_mtime_ns for path in files}


def doors(folder: Folder) -> tuple[Callable[[], object], ...]:
    """Where a manifest is read: by jobs, and by readers, who take that which the database names."""

    def read_by_readers() -> object:
        content = folder.manifest(1718).read_bytes()
        name = f"v1718/manifest-{hashlib.sha256(content).hexdigest()[:12]}.json"
        (folder.path / name).write_bytes(content)
        return read_committed(folder, 1718, name)

    return lambda: read_manifest(folder.manifest(1718)), read_by_readers, lambda: build(folder)


def refused(folder: Folder, of_doors: int) -> None:
    """One sentence that names the file and what to do."""
    for door in doors(folder)[:of_doors]:
        with pytest.raises(SnapshotDamaged, match=r"manifest[-\w]*\.json") as caught:
            door()
        sentence = str(caught.value)
        assert "microns snapshot 1718" in sentence or "pip install --upgrade" in sentence
        assert "\n" not in sentence
        assert len(sentence) < 600 + len(str(folder.path))


def test_there_are_enough_of_them() -> None:
    assert len(REFUSED) + len(WHOLE) > 500


@pytest.mark.parametrize("pointer", sorted({pointer for pointer, _ in REFUSED}))
def test_a_wrong_value_is_refused(pointer: str, sound: Folder, shared: Folder, empty_place: Path) -> None:
    """Every value where a manifest is read, two for each place at every door; no file of the warehouse changes."""
    content = json.loads(sound.manifest(1718).read_bytes())
    before = files_of(shared)
    for number, value in enumerate(value for place, value in REFUSED if place == pointer):
        shared.manifest(1718).write_text(json.dumps(changed(content, pointer, value)), "utf-8")
        try:
            refused(shared, of_doors=3 if number < 2 else 1)
        except BaseException as error:
            error.add_note(f"{pointer} = {'(not there)' if value is DROP else repr(value)}")
            raise
    assert files_of(shared) == before


@pytest.mark.parametrize("content", WHOLE, ids=[repr(content[:20]) for content in WHOLE])
def test_what_is_no_manifest_is_refused(content: bytes, shared: Folder, empty_place: Path) -> None:
    before = files_of(shared)
    shared.manifest(1718).write_bytes(content)
    refused(shared, of_doors=3)
    assert files_of(shared) == before


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_words_stay_words(hostile: str, sound: Folder, tmp_path: Path, empty_place: Path) -> None:
    """In every text that may be any text, in the name of a table and of a column that the file lacks."""
    root = tmp_path.with_name(tmp_path.name + "-root")
    shutil.copytree(sound.path, root / sound.datastack)
    folder = Folder.of(root)
    content = json.loads(folder.manifest(1718).read_bytes())
    for entry in (*content["tables"].values(), *content["models"].values()):
        entry |= dict.fromkeys(("source", "url", "schema_type", "description", "notice_text"), hostile)
        entry |= {"reference_table": hostile, "citations": [hostile], "checksum": hostile}
    content["tools"] = {hostile: hostile}
    content["absent"]["cell_type_multifeature_combo"] = hostile
    content["models"] = {}
    folder.manifest(1718).write_text(json.dumps(content), "utf-8")
    build(folder)
    with connect(1718, root) as warehouse:
        rows = warehouse.sql("SELECT DISTINCT url FROM provenance WHERE table_name = 'synapses_pni_2'").fetchall()
        assert rows == [(hostile,)]
        assert warehouse.sql("SELECT count(*) FROM synapses").fetchall() == [(3,)]
        assert len(warehouse.scan("synapses").collect()) == 3


@pytest.mark.parametrize("hostile", [*HOSTILE, "no_such_column"])
def test_a_column_that_the_file_lacks_is_one_sentence(
    hostile: str, sound: Folder, shared: Folder, empty_place: Path
) -> None:
    content = json.loads(sound.manifest(1718).read_bytes())
    content["tables"]["nucleus_detection_v0"]["columns"][hostile] = "BIGINT"
    shared.manifest(1718).write_text(json.dumps(content), "utf-8")
    with pytest.raises(WarehouseError, match=r"nucleus_detection_v0.*microns snapshot 1718") as caught:
        build(shared)
    assert "\n" not in str(caught.value)


def test_a_table_may_have_any_name(sound: Folder, shared: Folder, empty_place: Path) -> None:
    content = json.loads(sound.manifest(1718).read_bytes())
    names = [name for name in HOSTILE if "/" not in name and "\n" not in name]
    content["tables"] |= dict.fromkeys(names, content["tables"]["nucleus_detection_v0"])
    shared.manifest(1718).write_text(json.dumps(content), "utf-8")
    build(shared)
    with connect(1718, shared.path.parent) as warehouse:
        assert [len(warehouse.scan(name).collect()) for name in names] == [3] * len(names)


@pytest.fixture(scope="module")
def bundle(sound: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle") / "class.duckdb"
    make_bundle(sound, None, Choice(everything=True), out)
    return out


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("version", f"x;{COPY};FROM v1718"),
        ("version", 943),
        ("datastack", HOSTILE[0]),
        ("tables/synapses_pni_2/columns/id", KINDS[5]),
        ("tables", []),
    ],
)
def test_a_bundle_is_refused_too(
    pointer: str, value: Any, bundle: Path, tmp_path_factory: pytest.TempPathFactory, empty_place: Path
) -> None:
    copy = tmp_path_factory.mktemp("copy") / "class.duckdb"
    shutil.copy(bundle, copy)
    with duckdb.connect(str(copy)) as con:
        ((text,),) = con.execute("SELECT manifest FROM v1718_rows._manifest").fetchall()
        content = json.dumps(changed(json.loads(text), pointer, value))
        con.execute("UPDATE v1718_rows._manifest SET manifest = ?", [content])
    with pytest.raises(SnapshotDamaged, match=r"class\.duckdb.*microns get"):
        connect(copy)


def test_a_bundle_whose_manifest_is_no_text_is_refused(
    bundle: Path, tmp_path_factory: pytest.TempPathFactory, empty_place: Path
) -> None:
    for number, change in enumerate(
        ("DELETE FROM {0}", "INSERT INTO {0} FROM {0}", "UPDATE {0} SET manifest = NULL")
    ):
        copy = tmp_path_factory.mktemp("copy") / f"class{number}.duckdb"
        shutil.copy(bundle, copy)
        with duckdb.connect(str(copy)) as con:
            con.execute(change.format("v1718_rows._manifest"))
        with pytest.raises(SnapshotDamaged, match="is no bundle"):
            connect(copy)


@pytest.mark.parametrize(("least", "most"), [("a", 7), (7, None), (None, 7), ("a", "b")])
def test_files_of_one_table_are_cut_by_whole_numbers(
    least: object, most: object, sound: Folder, shared: Folder, empty_place: Path
) -> None:
    """A single file may begin or end with rows that have no value; several are chosen by these numbers."""
    content = json.loads(sound.manifest(1718).read_bytes())
    entry = content["tables"]["synapses_pni_2"]
    entry["files"] = [entry["files"][0], entry["files"][0] | {"min": least, "max": most}]
    shared.manifest(1718).write_text(json.dumps(content), "utf-8")
    refused(shared, of_doors=3)
