"""A dozen read-only questions to a real service: does it answer as this project believes it does?

The report is kept as a file. It holds no token, so that it can be shown to anybody.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from ingest.cave.service import CaveService
from ingest.parts.conform import adapted, conform, declared
from ingest.parts.plan import Part
from warehouse.errors import NotThere, SchemaDrift, SourceRefused, WarehouseError
from warehouse.registry.schema import Table
from warehouse.registry.tables import NUCLEUS, SYNAPSE, TABLES
from warehouse.storage.durable import replace_file

_SMALL = ("proofreading_status_and_strategy", "proofreading_status_public_release", "nucleus_alternative_points")
"""Tables of some thousand rows at most; the first that a version has is fetched whole and hashed."""
_VIEWS = ("single_neurons",)
"""Views that are cheap to compute; else the first of the list is asked."""
_FEW = 10
_WINDOW = (100_000_000, 100_000_200)
"""Synapse ids; any range will do."""
_WIDE_WINDOW = (100_000_000, 100_600_000)
"""More synapses than any row cap that was heard of: 200,000 or 500,000. Two columns of them are some megabytes."""


@dataclass(frozen=True)
class Finding:
    """One question and its answer.

    Attributes:
        question: what was asked.
        ok: whether the answer is what this project relies on.
        answer: what was answered, or what went wrong.
        seconds: how long it took.
    """

    question: str
    ok: bool
    answer: Any
    seconds: float


@dataclass
class Report:
    """All questions and their answers.

    Attributes:
        asked: when.
        findings: what was asked and answered.
        refusal: why the service answers this account nothing; "" if it does.
    """

    asked: str
    findings: list[Finding] = field(default_factory=list)
    refusal: str = ""

    @property
    def failed(self) -> list[Finding]:
        """The questions whose answer is not what this project relies on."""
        return [finding for finding in self.findings if not finding.ok]

    def text(self) -> str:
        """One line per question, and a last one that counts."""
        lines = [
            f"{'ok    ' if finding.ok else 'FAILED'}  {finding.seconds:5.1f} s  {finding.question}: "
            f"{_shortened(finding.answer)}"
            for finding in self.findings
        ]
        return "\n".join([*lines, f"{len(self.findings) - len(self.failed)} of {len(self.findings)} are fine"])

    def write(self, path: Path) -> None:
        """Keep the report as JSON."""
        replace_file(path, (json.dumps({**asdict(self), "text": self.text()}, indent=1) + "\n").encode())


class Examination:
    """Asks one service about one version."""

    def __init__(self, service: CaveService, version: int | None) -> None:
        """Prepare an examination of `version`, or of the newest one."""
        self.report = Report(datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="seconds"))
        self._service = service
        self._version = version or 0

    def run(self) -> Report:
        """Ask everything; a question that goes wrong does not keep the others from being asked, a refusal does."""
        try:
            self._ask_all()
        except SourceRefused as error:
            self.report.refusal = str(error)
        return self.report

    def _ask_all(self) -> None:
        service = self._service
        self._ask("release of the service and of caveclient", self._releases)
        self._ask("version of the interface", lambda: _expect(service.api_version == 3, service.api_version))
        self._ask("materialization versions", self._versions)
        self._ask("one version", lambda: asdict(service.version(self._version)))
        tables: list[str] = self._ask("its tables", lambda: service.tables(self._version)) or []
        self._ask("their metadata", lambda: self._metadata(tables))
        views: list[str] = self._ask("its views", lambda: sorted(service.views(self._version))) or []
        if name := next((each for each in _VIEWS if each in views), next(iter(views), None)):
            self._ask(f"some rows of {name}", partial(self._view, name))
        for name in (SYNAPSE, NUCLEUS):
            self._ask(f"rows of {name}", partial(service.count, self._version, name))
        self._ask("a cut answer says so", self._is_warned)
        small = next((name for name in _SMALL if name in tables), NUCLEUS)
        self._ask("a schema of CAVE", lambda: self._schema(TABLES[small]))
        self._ask(f"all of {small}, and its hash", lambda: self._hash(TABLES[small]))
        self._ask("a window of synapses", self._window)
        self._ask("most rows of one answer", self._cap)
        self._ask("a count with a filter", self._counted)

    def _ask(self, question: str, ask: Callable[[], Any]) -> Any:
        begin, refused = time.monotonic(), None
        try:
            answer, ok = ask(), True
        except WarehouseError as error:
            if isinstance(error, SourceRefused) and not isinstance(error, NotThere):
                refused = error
            answer, ok = str(error), False
        self.report.findings.append(Finding(question, ok, answer, round(time.monotonic() - begin, 2)))
        if refused is not None:
            raise refused
        return answer if ok else None

    def _releases(self) -> dict[str, str]:
        return {"service": self._service.server_version, "caveclient": self._service.client_version}

    def _versions(self) -> dict[str, list[int]]:
        versions = self._service.versions()
        self._version = self._version or max(versions.live, default=0)
        return {"live": list(versions.live), "expired": list(versions.expired)}

    def _metadata(self, tables: list[str]) -> dict[str, str]:
        metadata = self._service.tables_metadata(self._version)
        _expect(set(tables) <= set(metadata), sorted(set(tables) - set(metadata)))
        return {name: str(entry.get("schema_type")) for name, entry in sorted(metadata.items())}

    def _is_warned(self) -> dict[str, Any]:
        answer = self._service.rows(self._version, NUCLEUS, columns=("id", "valid"), limit=_FEW)
        _expect(answer.cap == _FEW and answer.rows.num_rows == _FEW, f"{answer.cap}, {answer.rows.num_rows} rows")
        return {"limit": answer.cap, "rows": answer.rows.num_rows}

    def _schema(self, table: Table) -> dict[str, list[str]]:
        schema = self._service.schema(table.schema_type)
        return {name: sorted(kind["properties"]) for name, kind in schema.get("definitions", {}).items()}

    def _cap(self) -> dict[str, Any]:
        answer = self._service.rows(self._version, SYNAPSE, Part(*_WIDE_WINDOW), columns=("id", "size"))
        return {"ids": list(_WIDE_WINDOW), "rows": answer.rows.num_rows, "cut at": answer.cap}

    def _view(self, name: str) -> dict[str, str]:
        said = self._service.view_schema(self._version, name)
        table = adapted(TABLES[name], said) if name in TABLES else declared(name, said, {}, is_view=True)
        rows = self._service.rows(self._version, name, limit=_FEW, view=True).rows
        conform(table, rows, is_merged=False)
        return {entry.name: str(entry.type) for entry in said}

    def _hash(self, table: Table) -> dict[str, Any]:
        answer = self._service.rows(self._version, table.name)
        rows = conform(table, answer.rows, is_merged=self._is_merged()).sort_by(
            [(name, "ascending") for name in table.sort_by]
        )
        text = json.dumps(rows.to_pylist(), default=str, sort_keys=True)
        return {
            "rows": rows.num_rows,
            "cut at": answer.cap,
            "columns": {entry.name: str(entry.type) for entry in answer.rows.schema},
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        }

    def _window(self) -> dict[str, Any]:
        low, high = _WINDOW
        columns = [column.name for column in TABLES[SYNAPSE].stored_columns]
        answer = self._service.rows(self._version, SYNAPSE, Part(low, high), columns=columns)
        rows = conform(TABLES[SYNAPSE], answer.rows, is_merged=self._is_merged())
        ids = rows["id"].to_pylist()
        _expect(len(set(ids)) == len(ids) and all(low <= number < high for number in ids), ids)
        return {"ids": [low, high], "rows": len(ids), "columns": answer.rows.schema.names}

    def _counted(self) -> int:
        return self._service.count_where(self._version, NUCLEUS, Part(1, 1000))

    def _is_merged(self) -> bool:
        return self._service.version(self._version).is_merged


def examine(connect: Callable[[], CaveService], version: int | None = None) -> Report:
    """Ask a service a dozen questions.

    Args:
        connect: connects to the service.
        version: the materialization version to ask about; the newest if None.

    Raises:
        SourceError: there is no service to ask, or it refuses.
    """
    return Examination(connect(), version).run()


def _expect(is_so: bool, answer: Any) -> Any:
    if not is_so:
        raise SchemaDrift(f"this project relies on another answer than {answer}")
    return answer


def _shortened(answer: Any) -> str:
    text = json.dumps(answer, default=str)
    return text if len(text) <= 160 else f"{text[:150]} ... ({len(text)} characters)"
