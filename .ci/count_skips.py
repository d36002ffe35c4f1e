"""Fail when a test was skipped for a reason that is not on this list: a skip must be meant."""

import sys
import xml.etree.ElementTree as ET
from collections import Counter

EXPECTED = {
    # Recorded exchanges and published tables that are not part of the repository.
    "MICRONS_SHARED": 1000,
}

skips = Counter(
    skipped.get("message", "") for report in sys.argv[1:] for skipped in ET.parse(report).getroot().iter("skipped")
)
for message, count in sorted(skips.items()):
    print(f"{count} skipped: {message}")
unexpected = [message for message in skips if not any(known in message for known in EXPECTED)]
if unexpected:
    sys.exit(f"{len(unexpected)} reasons to skip are not expected")
