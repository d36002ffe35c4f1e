"""CAVE as a source of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ingest.cave.selection import require_version, select
from ingest.cave.service import CaveService
from ingest.cave.table import CaveTable, CaveVersion, Sizes
from ingest.parts.plan import Part
from ingest.parts.saved import PartsFolder
from ingest.parts.source import Scope, Selection, SourceName
from warehouse.registry.schema import Table


class CaveSource:
    """A CAVE service; see `ingest.parts.source.Source`."""

    name: SourceName = "cave"

    def __init__(self, service: CaveService, sizes: Sizes | None = None) -> None:
        self.service = service
        self.datastack = service.datastack
        self._sizes = sizes or Sizes()
        self.workers = self._sizes.workers
        self._metadata: Mapping[str, Mapping[str, Any]] = {}
        self._cave_version: CaveVersion | None = None

    def select(self, version: int, names: Sequence[str], scope: Scope, here: Mapping[str, Any]) -> Selection:
        """Resolve names against the service's lists of tables and views."""
        require_version(self.service, version)
        info = self.service.version(version)
        self._cave_version = CaveVersion(self.service, version, info.is_merged)
        tables, self._metadata, absent = select(self.service, version, names, scope, here)
        return Selection(version, info.time_stamp, tables, absent)

    def source_table(
        self, selection: Selection, table: Table, scope: Scope, parts_folder: PartsFolder
    ) -> CaveTable:
        """A table, with the service's own count of its rows."""
        cave_version = self._cave_version or CaveVersion(self.service, selection.version, is_merged=False)
        version, metadata = selection.version, self._metadata.get(table.name, {})
        if table.kind == "view":
            count = self.service.count_where(version, table.name, Part(), view=True)
        else:
            count = self.service.count(version, table.name)
        return CaveTable(cave_version, table, parts_folder, self._sizes, count, scope, metadata)

    def tools(self) -> dict[str, str]:
        """The client's release and the server's."""
        return {"caveclient": self.service.client_version, "materialization engine": self.service.server_version}

    def stop(self) -> None:
        """Ask no question again that fails from now on."""
        self.service.stop()
