"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The folder with recordings and real files beside the checkout, or where MICRONS_SHARED points."""
    default = Path(__file__).parents[2] / "shared"
    folder = Path(os.environ.get("MICRONS_SHARED", default))
    if not folder.is_dir():
        pytest.skip("set MICRONS_SHARED to the folder with the recordings")
    return folder
