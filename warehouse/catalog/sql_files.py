"""The files under sql/: where they are, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable


def sql_root() -> Traversable:
    """The folder of the SQL files: in the wheel, or beside the package in a checkout."""
    packaged = files("warehouse") / "sql"
    return packaged if packaged.is_dir() else files("warehouse").joinpath("..", "sql")


def sql_files(root: Traversable) -> Iterator[tuple[str, str]]:
    """Path (`cells/neurons.sql`) and content of every SQL file, checks excepted, in order of path."""
    for folder in sorted((each for each in root.iterdir() if each.is_dir()), key=lambda each: each.name):
        if folder.name != "checks":
            for file in sorted(folder.iterdir(), key=lambda each: each.name):
                if file.name.endswith(".sql"):
                    yield f"{folder.name}/{file.name}", file.read_text("utf-8")
