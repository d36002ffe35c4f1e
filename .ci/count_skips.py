"""Fail when tests were skipped that should have run: a skip is allowed for a known reason, and counted."""

import os
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

shared = Path(os.environ.get("MICRONS_SHARED", Path(__file__).parents[2] / "shared"))
# Recordings and published tables that are not part of the repository: without them, those tests cannot run.
EXPECTED = set() if shared.is_dir() else {"set MICRONS_SHARED to the folder with the recordings"}

skips = Counter(
    skipped.get("message", "") for report in sys.argv[1:] for skipped in ET.parse(report).getroot().iter("skipped")
)
for message, count in sorted(skips.items()):
    print(f"{count} skipped: {message}")
print(f"{skips.total()} skipped in all")
if unexpected := set(skips) - EXPECTED:
    sys.exit(f"skipped for a reason that is not expected here: {sorted(unexpected)}")
