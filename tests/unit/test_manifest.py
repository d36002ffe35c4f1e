"""The contract on disk: valid by its own schema, readable by later releases, refused when too new."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from warehouse.errors import SnapshotDamaged, SnapshotNotFound
from warehouse.storage import manifest as module
from warehouse.storage.manifest import DataFile, Manifest, TableEntry, is_as_written, read_manifest, replace_file

SCHEMA = json.loads(Path(module.__file__).with_name("manifest.schema.json").read_text("utf-8"))


@pytest.fixture
def manifest() -> Manifest:
    file = DataFile("cave/t/part-0.parquet", 10, "0" * 64, 2, 1, 5)
    entry = TableEntry("cave", "https://cave.example.org", "all", {"id": "BIGINT", "a": "VARCHAR"}, 2, [file])
    return Manifest("minnie65_public", 1718, "2026-03-07T08:10:01.190228", {"t": entry}, absent={"u": "not there"})


def written(path: Path, manifest: Manifest, **changes: Any) -> Path:
    path.write_text(json.dumps(json.loads(manifest.to_json()) | changes), "utf-8")
    return path


def test_what_is_written_is_valid_and_comes_back(manifest: Manifest, tmp_path: Path) -> None:
    jsonschema.validate(json.loads(manifest.to_json()), SCHEMA)
    manifest.write(tmp_path / "manifest.json")
    assert read_manifest(tmp_path / "manifest.json") == manifest


def in_any_order(schema: Any) -> Any:
    """Releases of msgspec list alternatives in different orders."""
    if isinstance(schema, dict):
        return {key: in_any_order(value) for key, value in schema.items()}
    return sorted(map(in_any_order, schema), key=repr) if isinstance(schema, list) else schema


def test_the_schema_is_that_of_the_types() -> None:
    """Write it anew with the text of `schema_text()` after a change of the types."""
    assert in_any_order(json.loads(module.schema_text())) == in_any_order(SCHEMA)


def test_the_order_of_columns_comes_back(manifest: Manifest, tmp_path: Path) -> None:
    manifest.write(tmp_path / "manifest.json")
    assert list(read_manifest(tmp_path / "manifest.json").tables["t"].columns) == ["id", "a"]


def test_keys_of_a_later_release_are_ignored(manifest: Manifest, tmp_path: Path) -> None:
    content = json.loads(manifest.to_json())
    content["weather"] = "fine"
    content["tables"]["t"]["colour"] = "red"
    content["tables"]["t"]["files"][0]["mood"] = "good"
    jsonschema.validate(content, SCHEMA)
    assert read_manifest(written(tmp_path / "m.json", manifest, **content)) == manifest


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"format_version": 2}, "has format 2, this release reads up to 1; upgrade with"),
        ({"needs": ["time-travel"]}, "needs time-travel, which this release cannot read; upgrade with"),
        ({"tables": {"t": {}}}, "missing required field `source` - at `\\$.tables"),
    ],
)
def test_what_cannot_be_read_rightly_is_refused(
    manifest: Manifest, tmp_path: Path, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(SnapshotDamaged, match=sentence):
        read_manifest(written(tmp_path / "m.json", manifest, **changes))


def test_no_manifest_and_no_json(tmp_path: Path) -> None:
    with pytest.raises(SnapshotNotFound, match="microns snapshot"):
        read_manifest(tmp_path / "none.json")
    (tmp_path / "m.json").write_bytes(b"\xff{")
    with pytest.raises(SnapshotDamaged, match="is not a manifest"):
        read_manifest(tmp_path / "m.json")


def test_a_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    replace_file(tmp_path / "deep" / "file", b"old")
    replace_file(tmp_path / "deep" / "file", b"new")
    assert [path.read_bytes() for path in (tmp_path / "deep").iterdir()] == [b"new"]


def test_any_changed_byte_of_a_manifest_is_seen(tmp_path: Path) -> None:
    """Also one in a text, which no reader could tell; a manifest of an older release has no checksum."""
    path = tmp_path / "manifest.json"
    Manifest("minnie65_public", 7, "2026-01-01T00:00:00", {}, absent={"some_table": "not there"}).write(path)
    content = path.read_bytes()
    assert is_as_written(path)
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        assert not is_as_written(path), place
    text = content.decode()
    path.write_text(text[: text.index(',\n "checksum"')] + "\n}\n", "utf-8")
    assert is_as_written(path)
    assert read_manifest(path).version == 7
