"""CAVE as the snapshot job sees it: a few typed questions, asked through the real caveclient.

Importing this module does not import caveclient, which takes seconds; making a `CaveService` does.
"""

from __future__ import annotations

import inspect
import io
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import pyarrow as pa
import requests

from ingest.cave.access import default_server, require_token
from ingest.cave.refusals import translated
from ingest.cave.transport import LastAnswer, sessions_send_by
from ingest.files.retry import Retry, RetryPolicy
from ingest.parts.plan import Part
from warehouse.errors import (
    NotThere,
    SchemaDrift,
    SourceUnavailable,
    UsageError,
    WarehouseError,
)
from warehouse.registry.schema import AXES
from warehouse.storage.manifest import SYNTHETIC

log = logging.getLogger(__name__)
_T = TypeVar("_T")

_END_OF_STREAM = b"\xff\xff\xff\xff\x00\x00\x00\x00"
_API = 3
_CUT = re.compile(r"201 - \"?Limited query to (\d+) rows")


@dataclass(frozen=True)
class Answer:
    """Rows as they came.

    Attributes:
        rows: with CAVE's column names and wire types.
        cap: the row limit that cut the answer short (or was met exactly); None if the answer is whole.
    """

    rows: pa.Table
    cap: int | None


@dataclass(frozen=True)
class Versions:
    """The materialization versions that the service knows.

    Attributes:
        live: those that can be asked.
        expired: those whose database is gone.
    """

    live: tuple[int, ...]
    expired: tuple[int, ...]


@dataclass(frozen=True)
class VersionInfo:
    """One version.

    Attributes:
        time_stamp: the moment it describes: UTC, ISO 8601 without a zone.
        is_merged: the older layout, in which annotations carry no `created` and `superceded_id`.
        synthetic: whether the service says that its rows are made up; CAVE itself never does.
    """

    time_stamp: str
    is_merged: bool
    synthetic: bool = False


class CaveService:
    """A CAVE service and one of its datastacks."""

    def __init__(
        self,
        datastack: str,
        *,
        server: str | None = None,
        token: str | None = None,
        policy: RetryPolicy | None = None,
        connections: int = 4,
    ) -> None:
        """Connect.

        Args:
            datastack: CAVE's name of the dataset.
            server: address of the service; None for the one that caveclient takes.
            token: the token; None for the one that caveclient finds on this machine.
            policy: how long to wait.
            connections: how many threads will ask at once.

        Raises:
            SourceRefused: there is no token, or the service does not accept it.
            SourceUnavailable: the service does not answer.
        """
        self.datastack = datastack
        self._last = LastAnswer()
        self.server = (server or default_server(datastack)).rstrip("/")
        self._token = require_token(self.server, token)
        self._ask = Retry(policy or RetryPolicy(), self._translated)
        try:
            self._client = self._ask(lambda: self._connect(token, connections), self._ask.policy.first_attempts)
        except NotThere:
            raise UsageError(
                f"the service at {self.server} has no datastack {datastack}, or is not CAVE; check --datastack "
                "(the public one is minnie65_public) and --server"
            ) from None
        self._ask.connected = True

    def _translated(self, question: Callable[[], _T]) -> _T:
        """Ask once; an answer that repeats the token is not repeated to anybody."""
        try:
            return translated(question)
        except WarehouseError as error:
            if self._token not in str(error):
                raise
            raise type(error)(str(error).replace(self._token, "...")) from None

    def _connect(self, token: str | None, connections: int) -> Any:
        from caveclient import CAVEclient

        self._last.error = None
        with sessions_send_by(self._ask.timeouts, self._last):
            client = CAVEclient(
                self.datastack,
                server_address=self.server,
                auth_token=token,
                max_retries=0,
                pool_maxsize=connections,
                write_server_cache=False,
            )
            api = client.materialize.api_version
        if api != _API:
            # The client takes any failure of one request for the sign of an old server, and asks differently.
            raise self._last.error or SourceUnavailable(
                f"the service at {self.server} did not say that it speaks version {_API} of its interface "
                f"(caveclient took {api}); try the same command later"
            )
        return client

    @property
    def server_version(self) -> str:
        """The release of the service."""
        return str(self._client.materialize.server_version)

    @property
    def client_version(self) -> str:
        """The release of caveclient."""
        from importlib.metadata import version

        return version("caveclient")

    @property
    def api_version(self) -> int:
        """The version of the interface that caveclient speaks with the service."""
        return int(self._client.materialize.api_version)

    def url(self, version: int, table: str, *, view: bool = False) -> str:
        """Where a table or view is."""
        address, kind = self._client.materialize.server_address, "views" if view else "table"
        return f"{address}/materialize/api/v{_API}/datastack/{self.datastack}/version/{version}/{kind}/{table}"

    def stop(self) -> None:
        """Ask no question again that fails from now on."""
        self._ask.stopped = True

    def versions(self) -> Versions:
        """Which versions there are."""
        live, known = self._versions(expired=False), self._versions(expired=True)
        return Versions(tuple(sorted(live)), tuple(sorted(known - live)))

    def _versions(self, *, expired: bool) -> set[int]:
        return self._ask(lambda: set(map(int, self._client.materialize.get_versions(expired=expired))))

    def times(self) -> dict[int, str]:
        """The moment that each version describes, expired or not: UTC, ISO 8601 without a zone."""

        def ask() -> dict[int, str]:
            self._asked(lambda: self._client.materialize.get_versions_metadata(expired=True))
            return {int(entry["version"]): _moment(entry["time_stamp"]) for entry in self._response().json()}

        return self._ask(ask)

    def _asked(self, question: Callable[[], object]) -> None:
        try:
            question()
        except ValueError:
            log.debug("caveclient cannot read a time without microseconds; the answer itself is fine")

    def version(self, version: int) -> VersionInfo:
        """What the service says about a version."""

        def ask() -> VersionInfo:
            self._asked(lambda: self._client.materialize.get_version_metadata(version))
            said = self._response().json()
            return VersionInfo(
                _moment(said["time_stamp"]), bool(said.get("is_merged")), said.get(SYNTHETIC) is True
            )

        return self._ask(ask)

    def tables(self, version: int) -> list[str]:
        """The names of a version's tables."""
        return self._ask(lambda: sorted(map(str, self._client.materialize.get_tables(version=version))))

    def views(self, version: int) -> dict[str, dict[str, Any]]:
        """A version's views with their metadata, by name."""
        return self._ask(lambda: dict(self._client.materialize.get_views(version=version)))

    def tables_metadata(self, version: int) -> dict[str, dict[str, Any]]:
        """CAVE's metadata of a version's tables, by name."""
        materialize = self._client.materialize
        # Unwrapped: caveclient keeps the answer for half a day, and gives it for every service of the process.
        ask = inspect.unwrap(type(materialize).get_tables_metadata)

        def named() -> dict[str, dict[str, Any]]:
            said = ask(materialize, version=version, log_warning=False)
            return {str(entry["table_name"]): dict(entry) for entry in said}

        return self._ask(named)

    def view_schema(self, version: int, view: str) -> pa.Schema:
        """The columns of a view with their types.

        They do not depend on rows, as those of an answer do: there, a column without any value comes as text.
        """
        ask = self._client.materialize.get_view_schema
        return self._ask(lambda: _schema_said(view, ask(view, materialization_version=version, log_warning=False)))

    def schema(self, schema_type: str) -> dict[str, Any]:
        """CAVE's definition of an annotation schema, as a JSON schema."""
        client = self.service("schema")
        return self.ask(lambda: dict(client.schema_definition(schema_type)))

    def service(self, name: str) -> Any:
        """The client that caveclient has for another service of CAVE: `schema`, `skeleton`."""

        def open_it() -> Any:
            with sessions_send_by(self._ask.timeouts, self._last):
                return getattr(self._client, name)

        return self.ask(open_it)

    def ask(self, question: Callable[[], _T]) -> _T:
        """The answer to a question of one's own to such a client, tried again where that can help."""
        return self._ask(question)

    def count(self, version: int, table: str) -> int:
        """The number of a table's rows, as the service keeps it."""
        return self._ask(lambda: int(self._client.materialize.get_annotation_count(table, version=version)))

    def rows(
        self,
        version: int,
        table: str,
        part: Part | None = None,
        *,
        by: str = "",
        columns: Sequence[str] | None = None,
        limit: int | None = None,
        view: bool = False,
    ) -> Answer:
        """Rows of a table or view.

        Args:
            version: the version.
            table: the name of the table or view.
            part: which rows; None for all.
            by: the column whose values `part.among` lists.
            columns: which columns, at least two (the service fails on one); None for all.
            limit: at most so many rows.
            view: whether `table` is a view.
        """
        filters: dict[str, Any] = _filters(part or Part(), by)
        if columns is not None:
            filters["select_columns"] = list(columns)
        return self._ask(lambda: self._query(version, table, view, limit=limit, **filters))

    def count_where(self, version: int, table: str, part: Part, *, by: str = "", view: bool = False) -> int:
        """The number of rows that `part` has, counted by the service; no limit cuts this short."""

        def ask() -> int:
            answer = self._query(version, table, view, get_counts=True, **_filters(part, by))
            return int(answer.rows.column("count")[0].as_py())

        return self._ask(ask)

    def _query(self, version: int, table: str, view: bool, **options: Any) -> Answer:
        materialize = self._client.materialize
        if not view:
            options.update(merge_reference=False, log_warning=False)
        query = materialize.query_view if view else materialize.query_table
        query(table, materialization_version=version, metadata=False, split_positions=True, **options)
        response = self._response()
        cut = _CUT.search(response.headers.get("Warning", ""))
        return Answer(read_stream(response.content), int(cut[1]) if cut else None)

    def _response(self) -> requests.Response:
        if self._last.response is None:
            raise SourceUnavailable("CAVE gave no answer; try the same command later")
        return self._last.response


def _moment(text: str) -> str:
    """A time as manifests have it: UTC, ISO 8601 without a zone."""
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)).isoformat()


def read_stream(content: bytes) -> pa.Table:
    """The rows of an Arrow stream, which must be whole.

    Arrow reads a stream that ends between two messages as if it ended there on purpose.

    Raises:
        SourceUnavailable: the stream is cut.
    """
    if not content.endswith(_END_OF_STREAM):
        raise SourceUnavailable("CAVE's answer was cut on the way; try the same command again")
    return pa.ipc.open_stream(io.BytesIO(content)).read_all()


_VIEW_TYPES = {
    "integer": pa.int64(),
    "float": pa.float64(),
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "string": pa.string(),
}


def _schema_said(view: str, said: Mapping[str, Mapping[str, str]]) -> pa.Schema:
    """The columns that a query of a view brings: a point is three of them."""
    fields: list[tuple[str, pa.DataType]] = []
    for name, column in said.items():
        kind = column["type"]
        if kind == "SpatialPoint":
            fields += [(f"{name}_{axis}", pa.int32()) for axis in AXES]
        elif column.get("format") == "date-time":
            fields.append((name, pa.timestamp("us")))
        elif kind in _VIEW_TYPES:
            fields.append((name, _VIEW_TYPES[kind]))
        else:
            raise SchemaDrift(f"CAVE says that {view}.{name} is of type {kind}; update microns-warehouse")
    return pa.schema(fields)


def _filters(part: Part, by: str) -> dict[str, Any]:
    filters: dict[str, Any] = {}
    if part.low > 0 or part.high is not None:
        filters["filter_greater_equal_dict"] = {"id": part.low}
    if part.high is not None:
        filters["filter_less_dict"] = {"id": part.high}
    if part.among:
        filters["filter_in_dict"] = {by: list(part.among)}
    return filters
