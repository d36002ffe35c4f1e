"""Delta tables, as CAVE exports them, as a source of synapses."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import pyarrow as pa

from ingest.delta.table import DeltaExport, File, Log
from ingest.files.remote import RemoteFiles
from ingest.files.retry import Retry, RetryPolicy
from ingest.parts.conform import declared, reduced
from ingest.parts.saved import PartsFolder
from ingest.parts.source import Scope, Selection, SourceName
from ingest.parts.wanted import in_order, needed
from warehouse.errors import SourceRefused, SourceUnavailable, UsageError
from warehouse.registry.datastacks import release_of
from warehouse.registry.schema import AXES, Table
from warehouse.registry.tables import SYNAPSE, TABLES

log = logging.getLogger(__name__)
_T = TypeVar("_T")

SPECS = ("id", "pre_pt_root_id", "post_pt_root_id", "target_id", "pt_root_id", "ctr_pt_position_morton", "flat")
"""The orders in which the exporter writes a table; each is all of it."""
_ANONYMOUS = {"google_skip_signature": "true"}


@dataclass(frozen=True)
class Address:
    """A folder of Delta tables, as the library wants it told.

    Attributes:
        url: begins all their addresses.
        options: how to reach it.
    """

    url: str
    options: Mapping[str, str]

    @classmethod
    def of(cls, location: str) -> Address:
        """From the address of a bucket (https://host/bucket/folder), or from a folder."""
        parts = urlsplit(location)
        if parts.scheme not in ("http", "https"):
            return cls(str(Path(location).expanduser().absolute()), {})
        elsewhere = {"google_base_url": f"{parts.scheme}://{parts.netloc}", "allow_http": "true"}
        usual = parts.netloc == "storage.googleapis.com"
        return cls(f"gs:/{parts.path.rstrip('/')}", {**_ANONYMOUS, **({} if usual else elsewhere)})


def _log_of(table: Any, folder: str) -> Log:
    added = pa.table(table.get_add_actions(flatten=True)).select(["path", "size_bytes", "num_records"])
    files = sorted(added.to_pylist(), key=lambda row: str(row["path"]))
    return Log(
        table.table_uri.rstrip("/"),
        _split(pa.schema(table.schema().to_arrow())),
        tuple(File(f"{folder}/{row['path']}", row["size_bytes"], row["num_records"]) for row in files),
    )


class DeltaSource:
    """Versions as Delta tables; see `ingest.parts.source.Source`."""

    name: SourceName = "delta"
    workers = 2

    def __init__(self, datastack: str, bucket: RemoteFiles, policy: RetryPolicy | None = None) -> None:
        self.datastack = datastack
        self.bucket = bucket
        self._address = Address.of(bucket.url)
        self._ask = Retry(policy or RetryPolicy(), once=_translated)
        self._lakes: dict[str, Log] = {}

    def select(self, version: int, names: Sequence[str], scope: Scope, here: Mapping[str, Any]) -> Selection:
        """Open the tables' logs; without names, that of the synapses."""
        wanted = list(dict.fromkeys(names)) or [SYNAPSE]
        for name in wanted:
            self._lakes[name] = self._open(version, name)
        more = needed(wanted, scope, [*TABLES], version, {*here, *wanted})
        if more:
            raise SourceRefused(
                f"--synapses {scope} needs {', '.join(more)}, which is no Delta table; fetch it first: "
                f"microns snapshot {version} {' '.join(more)} --source archive, or take all: --synapses all"
            )
        tables = [self._declaration(name) for name in wanted]
        release = release_of(self.datastack, version)
        return Selection(version, release.time_stamp if release else "", in_order(tables))

    def source_table(
        self, selection: Selection, table: Table, scope: Scope, parts_folder: PartsFolder
    ) -> DeltaExport:
        """A table, file by file."""
        return DeltaExport(self.bucket, self._lakes[table.name], table, scope, parts_folder)

    def tools(self) -> dict[str, str]:
        """The library that reads them."""
        return {"deltalake": installed("deltalake")}

    def stop(self) -> None:
        """Try nothing again that fails from now on."""
        self._ask.stopped = True
        self.bucket.stop()

    def _open(self, version: int, name: str) -> Log:
        from deltalake import DeltaTable
        from deltalake.exceptions import TableNotFoundError

        for spec in SPECS:
            folder = f"v{version}/{name}/{spec}"
            options = dict(self._address.options)
            try:
                table = self._ask(partial(DeltaTable, f"{self._address.url}/{folder}", storage_options=options))
            except TableNotFoundError:
                continue
            return _log_of(table, folder)
        error = SourceRefused if name in TABLES else UsageError
        raise error(
            f"there is no Delta table of {name} in version {version} ({self._address.url}/v{version}/{name}); "
            "what can be had where: microns versions"
        )

    def _declaration(self, name: str) -> Table:
        lake = self._lakes[name]
        if name in TABLES:
            return reduced(TABLES[name], lake.schema, lake.url)
        return declared(name, lake.schema, {}, is_view=False)


def _split(schema: pa.Schema) -> pa.Schema:
    """The columns once points are taken apart."""
    fields: list[pa.Field] = []
    for each in schema:
        if pa.types.is_binary(each.type):
            fields += [pa.field(f"{each.name}_{axis}", pa.float64()) for axis in AXES]
        else:
            fields.append(each)
    return pa.schema(fields)


def _translated(question: Callable[[], _T]) -> _T:
    """Ask once; whatever the library cannot do becomes one of the project's errors."""
    from deltalake.exceptions import DeltaError, TableNotFoundError

    try:
        return question()
    except TableNotFoundError:
        raise
    except (DeltaError, OSError) as error:
        raise SourceUnavailable(
            f"the log of a Delta table cannot be read ({str(error).splitlines()[0][:200]}); try again later"
        ) from error
