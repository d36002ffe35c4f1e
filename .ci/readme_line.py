"""Print the README's command for a purpose ("demo" or "tests"), so that CI runs what users paste."""

import re
import sys
from pathlib import Path

purpose = sys.argv[1]
readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
found = re.search(rf"<!-- {purpose} -->\s*```sh\n(.+)\n```", readme)
if found is None:
    sys.exit(f"README.md has no line of sh after the mark <!-- {purpose} -->")
print(found[1])
