"""CAVE as a place that tables come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ingest.origin import Place, Scope, Selection
from ingest.parts import PartStore
from ingest.plan import Part
from ingest.selection import require_version, select
from ingest.source import Source
from ingest.target import CaveTarget, Edition, Sizes
from warehouse.schema import Table


class Cave:
    """A CAVE service; see `ingest.origin.Origin`."""

    name: Place = "cave"

    def __init__(self, source: Source, sizes: Sizes | None = None) -> None:
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
        return Selection(version, info.time_stamp, tables, absent)

    def target(self, selection: Selection, table: Table, scope: Scope, store: PartStore) -> CaveTarget:
        """A table, with the service's own count of its rows."""
        edition = self._edition or Edition(self.source, selection.version, is_merged=False)
        version, said = selection.version, self._metadata.get(table.name, {})
        if table.kind == "view":
            count = self.source.count_where(version, table.name, Part(), view=True)
        else:
            count = self.source.count(version, table.name)
        return CaveTarget(edition, table, store, self._sizes, count, scope, said)

    def tools(self) -> dict[str, str]:
        """The client's release and the server's."""
        return {"caveclient": self.source.client_version, "materialization engine": self.source.server_version}

    def stop(self) -> None:
        """Ask no question again that fails from now on."""
        self.source.stop()
