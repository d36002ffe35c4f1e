"""The recorded tables of a real server, asked."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest

from warehouse.query.session import connect
from warehouse.storage.paths import Folder

Ask = Callable[[int, str], pl.DataFrame]


@pytest.fixture(scope="session")
def recorded(recorded_folder: Folder) -> Ask:
    """Ask one version of the recorded tables."""

    def ask(version: int, query: str) -> pl.DataFrame:
        with connect(version, recorded_folder.path.parent) as warehouse:
            frame: pl.DataFrame = warehouse.sql(query).pl()
            return frame

    return ask
