"""Print the lowest versions that pyproject.toml allows, as constraints for pip: `NAME>=X` becomes `NAME==X`."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

EXTRAS = "all,test"

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text("utf-8"))["project"]


def needed(lines: list[str]) -> Iterator[str]:
    """The lines themselves, and for an extra of this project the lines of that extra."""
    for line in lines:
        if own := re.fullmatch(rf"{project['name']}\[(.+)\]", line):
            for extra in own[1].split(","):
                yield from needed(project["optional-dependencies"][extra])
        else:
            yield line


for line in sorted(set(needed([*project["dependencies"], f"{project['name']}[{EXTRAS}]"]))):
    floor = re.match(r"([\w.-]+)(?:\[.+\])?>=([\w.]+)", line)
    if floor is None:
        raise SystemExit(f"pyproject.toml: {line!r} has no floor: write NAME>=X")
    print(f"{floor[1]}=={floor[2]}")
