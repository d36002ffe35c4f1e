"""What the documents promise: links lead somewhere, lists are complete, README's examples run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        *DOCS.rglob("*.md"),
        *(ROOT / "sql").glob("*.md"),
        *ROOT.glob("notebooks/*.md"),
    )
    if path.is_file()
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """The names that a link can lead to inside a page, as forges make them of headings."""
    text = FENCE.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", each.lower()).strip().replace(" ", "-") for each in headings}
    return made | set(re.findall(r'<a id="([^"]+)"', text))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_the_index_of_decisions_is_complete_and_newest_first() -> None:
    folder = DOCS / "decisions"
    listed = re.findall(
        r"^- (\d{4}-\d\d-\d\d) \[(.+)\]\((.+\.md)\)$", (folder / "README.md").read_text("utf-8"), re.M
    )
    dates = [date for date, _, _ in listed]
    assert dates == sorted(dates, reverse=True)
    titles = {name: (date, title) for date, title, name in listed}
    files = {path.name: path.read_text("utf-8") for path in folder.glob("*-*.md")}
    assert len(files) > 40
    assert {name: (name[:10], text.split("\n", 1)[0].removeprefix("# ")) for name, text in files.items()} == titles
    for name, text in files.items():
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings[:2] == ["Context", "Choice"], name
        assert headings[2:] in (["Measured consequence"], ["Consequence"]), name
        assert f"\nDate: {name[:10]}\n" in text


def test_the_list_of_views_is_complete() -> None:
    described = set(re.findall(r"^### (\w+)", (ROOT / "sql" / "README.md").read_text("utf-8"), re.MULTILINE))
    table = (DOCS / "views.md").read_text("utf-8").split("## How a name is found")[0]
    assert set(re.findall(r"`(\w+)", table)) == described


def test_the_list_of_commands_is_complete() -> None:
    (script,) = entry_points(group="console_scripts", name="microns")
    app = sys.modules[script.load().__module__].app
    commands = {name for name in app if not name.startswith("-")}
    listed = re.findall(r"^### microns (\w+)", (DOCS / "commands.md").read_text("utf-8"), re.MULTILINE)
    assert set(listed) == commands


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) < 130


@pytest.mark.slow
def test_the_readmes_examples_run(demo: Path) -> None:
    """As a reader pastes them, after the demo: in Python, and in the stock DuckDB shell."""
    text = (ROOT / "README.md").read_text("utf-8")
    here = os.environ | {"MICRONS_ROOT": str(demo), "PYTHONUTF8": "1"}
    python = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    done = subprocess.run([sys.executable, "-c", python], capture_output=True, text=True, env=here, check=True)
    assert re.findall(r"shape: .*", done.stdout) == ["shape: (5, 4)", "shape: (2, 3)"]
    duckdb = shutil.which("duckdb", path=sysconfig.get_path("scripts"))
    assert duckdb is not None
    sql = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    assert len(sql) == 2
    folder = demo / "minnie65_public"
    for block in sql:
        shell = [duckdb, "-readonly", "-bail", "-csv", "-noheader", "microns.duckdb"]
        done = subprocess.run(shell, input=block, capture_output=True, text=True, cwd=folder, check=True)
        assert len(done.stdout.splitlines()) >= 5
        assert done.stderr == ""
