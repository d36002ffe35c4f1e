"""Where things are on disk.

ROOT/<datastack>/               one folder per CAVE datastack
  microns.duckdb                views, macros, comments; no rows
  init.sql                      for a DuckDB shell started elsewhere
  v1718/manifest.json           the contract: the newest generation of each table, and what it must hold
  v1718/manifest-<hash>.json    the manifest that a database was made from
  v1718/cave/<table>-<hash>/... the snapshot, CAVE's names and logical values; the hash is of the content
  v1718/model/<name>-<hash>/... built once from the snapshot
  local/NAME.parquet|csv        a user's own tables
  .fetch-v1718/                 parts of a snapshot that is not finished
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from warehouse.errors import SnapshotNotFound, UsageError
from warehouse.registry.datastacks import DEFAULT_DATASTACK

FILE = "part-0.parquet"
"""Each table, or each bucket of one, is one file of this name in a folder of its own."""
DATASTACK = "[A-Za-z0-9][A-Za-z0-9_.-]*"
"""A pattern of what CAVE calls datastacks."""
_VERSION_FOLDER = re.compile(r"v([1-9][0-9]{0,9})")


def resolve_root(root: str | os.PathLike[str] | None = None) -> Path:
    """The folder of all datastacks: `root`, else $MICRONS_ROOT, else the platform's data folder."""
    if root is not None:
        return Path(root).expanduser().absolute()
    if chosen := os.environ.get("MICRONS_ROOT"):
        return Path(chosen).expanduser().absolute()
    return platformdirs.user_data_path("microns", appauthor=False)


@dataclass(frozen=True)
class Folder:
    """The folder of one datastack."""

    path: Path

    @classmethod
    def of(cls, root: str | os.PathLike[str] | None = None, datastack: str = DEFAULT_DATASTACK) -> Folder:
        """The folder of `datastack` under `root` (see `resolve_root`); it need not exist."""
        if not re.fullmatch(DATASTACK, datastack):
            raise UsageError(
                f"{datastack!r} is not the name of a datastack; CAVE's public one is {DEFAULT_DATASTACK}"
            )
        above = resolve_root(root)
        path = above / datastack
        if (shown := str(path).encode("utf-8", "replace").decode()) != str(path):
            raise UsageError(f"the name of {shown} is not UTF-8, so DuckDB cannot open it; rename the folder")
        if not path.is_dir() and (cls(above).database.is_file() or cls(above).versions()):
            raise UsageError(f"{above} is the folder of one datastack; give the one above: --root {above.parent}")
        if wild := sorted(set("*?[") & set(str(path))):
            raise UsageError(
                f"{path} has {' '.join(wild)} in its name, which DuckDB reads as wildcards; rename it"
            )
        return cls(path)

    @property
    def datastack(self) -> str:
        """CAVE's name of the datastack."""
        return self.path.name

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.path / "microns.duckdb"

    @property
    def init_sql(self) -> Path:
        """The lines that open the database in a shell started elsewhere."""
        return self.path / "init.sql"

    @property
    def local(self) -> Path:
        """The folder of a user's own tables."""
        return self.path / "local"

    def version(self, version: int) -> Path:
        """The published folder of a version."""
        return self.path / f"v{version}"

    def manifest(self, version: int) -> Path:
        """The manifest of a published version."""
        return self.version(version) / "manifest.json"

    def dropped(self, version: int) -> Path:
        """What the manifest is called once the version is dropped; its files wait to be collected."""
        return self.version(version) / "dropped.json"

    @property
    def superseded(self) -> Path:
        """Since when nothing has named each of the files that wait to be collected."""
        return self.path / ".superseded.json"

    def staging(self, version: int) -> Path:
        """Where the parts of an unfinished snapshot wait."""
        return self.path / f".fetch-v{version}"

    def versions(self) -> list[int]:
        """The published versions, ascending."""
        return [version for version in self.version_folders() if self.manifest(version).is_file()]

    def version_folders(self) -> list[int]:
        """The versions that have a folder, ascending, whatever is in it."""
        if not self.path.is_dir():
            return []
        found = (version_of(entry) for entry in self.path.iterdir())
        return sorted(version for version in found if version)

    def require_version(self, version: int) -> Path:
        """The published folder of a version, or a sentence saying what is here instead."""
        if version in (here := self.versions()):
            return self.version(version)
        known = ", ".join(f"v{number}" for number in here) or "no version"
        raise SnapshotNotFound(
            f"version {version} is not in {self.path} (there: {known}); fetch it with: microns snapshot {version}"
        )


def version_of(folder: Path) -> int | None:
    """The version whose published folder this is, by its name; None if it is none."""
    match = _VERSION_FOLDER.fullmatch(folder.name)
    return int(match[1]) if match else None


def cave_path(table: str) -> str:
    """The folder of a snapshot table, relative to its version's folder, with forward slashes."""
    return f"cave/{table}"


def model_path(name: str) -> str:
    """The folder of a table built from the snapshot, relative to its version's folder."""
    return f"model/{name}"
