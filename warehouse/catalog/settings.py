"""What every session on the database sets, in Python and in a DuckDB shell."""

from __future__ import annotations

from pathlib import Path

from warehouse.catalog.version_schema import search_path
from warehouse.storage.quoting import text_literal

SETTINGS = (
    "SET GLOBAL parquet_metadata_cache = true",  # the footers of a hundred files are read once
    "SET GLOBAL dynamic_or_filter_threshold = 5000",  # up to so many ids open only their files
)


def settings_sql(folder: Path, version: int, between: str = "; ") -> str:
    """The same for a DuckDB shell: what it must run first, given the version that plain names answer from."""
    lines = (
        *SETTINGS,
        f"SET GLOBAL file_search_path = {text_literal(str(folder))}",
        f"SET search_path = {text_literal(search_path(version))}",
    )
    return between.join(lines) + ";"


def init_sql(folder: Path, version: int) -> str:
    """These settings as a file."""
    return (
        f"-- For a DuckDB shell started outside of {folder}; `microns path --shell` prints the line.\n"
        "-- After moving the folder ask for the line again, or start the shell inside of it without this file.\n"
        + settings_sql(folder, version, ";\n")
        + "\n"
    )
