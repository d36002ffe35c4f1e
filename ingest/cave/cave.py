"""CAVE as a source of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ingest.cave.selection import require_version, select
from ingest.cave.service import CaveService
from ingest.cave.table import CaveTable, Edition, Sizes
from ingest.parts.parts import PartsFolder
from ingest.parts.plan import Part
from ingest.parts.source import Scope, Selection, SourceName
from warehouse.registry.schema import Table


class CaveSource:
    """A CAVE service; see `ingest.parts.source.Source`."""

    name: SourceName = "cave"

    def __init__(self, source: CaveService, sizes: Sizes | None = None) -> None:
        self.source = source
        self.datastack = source.datastack
        self._sizes = sizes or Sizes()
        self.workers = self._sizes.workers
        self._metadata: Mapping[str, Mapping[str, Any]] = {}
        self._edition: Edition | None = None

    def select(self, version: int, names: Sequence[str], scope: Scope, here: Mapping[str, Any]) -> Selection:
        """Resolve names against the service's lists of tables and views."""
        require_version(self.source, version)
        info = self.source.version(version)
        self._edition = Edition(self.source, version, info.is_merged)
        tables, self._metadata, absent = select(self.source, version, names, scope, here)
        return Selection(version, info.time_stamp, tables, absent, info.synthetic)

    def target(self, selection: Selection, table: Table, scope: Scope, store: PartsFolder) -> CaveTable:
        """A table, with the service's own count of its rows."""
        edition = self._edition or Edition(self.source, selection.version, is_merged=False)
        version, said = selection.version, self._metadata.get(table.name, {})
        if table.kind == "view":
            count = self.source.count_where(version, table.name, Part(), view=True)
        else:
            count = self.source.count(version, table.name)
        return CaveTable(edition, table, store, self._sizes, count, scope, said)

    def tools(self) -> dict[str, str]:
        """The client's release and the server's."""
        return {"caveclient": self.source.client_version, "materialization engine": self.source.server_version}

    def stop(self) -> None:
        """Ask no question again that fails from now on."""
        self.source.stop()
