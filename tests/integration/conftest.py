"""Recorded exchanges with a real server, and the tables they were answered from, as a served datastack."""

import datetime as dt
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from warehouse.demo.faults import FaultyService, serve_with_faults
from warehouse.serve import Grant, ServedDatastack, ServedTable, ServedVersion, columns_of

TOKENS = {
    "goodtoken000": Grant.VIEW,
    "servicetoken000": Grant.VIEW,
    "nopermtoken000": Grant.NO_PERMISSION,
    "notostoken000": Grant.NO_TERMS,
}
NAMES = ("minnie65_public", "minnie65_phase3_v1")
FIRST_IDS = {943: 71023, 1300: 71028}
INTEGERS = ("session", "scan_idx", "unit_id", "field")


def _database_type(entry: pa.Field) -> pa.DataType:
    """The recorded tables have widened integers, and texts for columns without any value."""
    if entry.name in INTEGERS or "position_" in entry.name:
        return pa.int32()
    return pa.int64() if entry.name == "superceded_id" else entry.type


def _time(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@dataclass(frozen=True)
class Recordings:
    """A folder with `index.json`, `bodies/` and `tables/`."""

    folder: Path

    @cached_property
    def exchanges(self) -> list[dict[str, Any]]:
        exchanges = json.loads((self.folder / "index.json").read_text())["exchanges"]
        assert isinstance(exchanges, list)
        return exchanges

    def body(self, exchange: dict[str, Any]) -> bytes | None:
        """The recorded body; a copy of the recordings may leave out large ones."""
        path = self.folder / "bodies" / f"{exchange['n']:04d}.bin"
        return path.read_bytes() if path.exists() else None

    def told(self, path: str) -> Any:
        """What the recorded server answered to a GET."""
        return next(e["response_json"] for e in self.exchanges if e["url"].endswith(path) and e["status"] == 200)

    def datastacks(self) -> list[ServedDatastack]:
        """The recorded datastack and its parent, as they were."""
        public, parent = (self.told(f"/info/api/v2/datastack/full/{name}") for name in NAMES)
        versions = [self._version(told) for told in self.told("minnie65_public/metadata?expired=True")]
        number = self.told("minnie65_phase3_v1/version/1300")["id"]
        parents = [_renumbered(version, number, 71006) for version in versions]
        return [_datastack(NAMES[0], public, versions), _datastack(NAMES[1], parent, parents)]

    def _version(self, told: dict[str, Any]) -> ServedVersion:
        number = told["version"]
        names = self.told(f"minnie65_public/version/{number}/tables") if number in FIRST_IDS else []
        version = ServedVersion(
            version=number,
            time_stamp=_time(told["time_stamp"]),
            tables=tuple(self._table(number, name) for name in names),
            expires_on=_time(told["expires_on"]),
            is_merged=told["is_merged"],
            expired=not told["valid"],
        )
        return _renumbered(version, told["id"], FIRST_IDS.get(number, 0))

    def _table(self, version: int, name: str) -> ServedTable:
        told = next(table for table in self.told("version/1300/tables/metadata") if table["table_name"] == name)
        rows = pq.read_table(self.folder / "tables" / f"v{version}" / f"{name}.parquet")
        # The merged layout of old versions is served without these, although they are stored.
        absent = {"deleted", "created", "superceded_id"} if version == 943 else {"deleted"}
        rows = rows.drop_columns([column for column in rows.column_names if column in absent])
        rows = rows.cast(pa.schema([entry.with_type(_database_type(entry)) for entry in rows.schema]))
        return ServedTable(
            name=name,
            columns=columns_of(rows.schema),
            rows=rows,
            description=told["description"],
            notice_text=told["notice_text"],
            schema_type=told["schema_type"],
            reference_table=told["reference_table"],
            user_id=told["user_id"],
            created=_time(told["created"]),
            last_modified=_time(told["last_modified"]),
            last_updated=_time(told.get("last_updated", "2025-09-26T08:10:01.135946")),
            flat_segmentation_source=told["flat_segmentation_source"],
        )


def _renumbered(version: ServedVersion, number: int, first: int) -> ServedVersion:
    """A version with its own id and its tables' ids, which count up in the order of the tables."""
    tables = tuple(replace(table, id=first + place) for place, table in enumerate(version.tables))
    return replace(version, id=number, tables=tables)


def _datastack(name: str, info: dict[str, Any], versions: list[ServedVersion]) -> ServedDatastack:
    volume = info["aligned_volume"]
    return ServedDatastack(
        name=name,
        versions=tuple(versions),
        aligned_volume=volume["name"],
        aligned_volume_description=volume["description"],
        display_name=volume["display_name"],
        image_source=volume["image_source"],
        description=info["description"],
        segmentation_name=info["segmentation_source"].rpartition("/")[2],
    )


@pytest.fixture(scope="session")
def bundled() -> Recordings:
    """The part of the recordings that comes with the repository."""
    return Recordings(Path(__file__).parents[1] / "fixtures" / "cave")


@pytest.fixture(scope="session")
def recorded(shared_dir: Path) -> Recordings:
    """All recordings, where they are at hand."""
    return Recordings(shared_dir / "cave-recordings")


@pytest.fixture(scope="session")
def serve_recorded() -> Callable[..., Any]:
    """Serves recordings faithfully, with the tokens that they were made with."""

    def serving(recordings: Recordings, **options: Any) -> AbstractContextManager[FaultyService]:
        return serve_with_faults(*recordings.datastacks(), tokens=TOKENS, **{"faithful": True, **options})

    return serving
