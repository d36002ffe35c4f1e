"""`microns demo`: the whole chain on a synthetic volume, from a service over loopback to answers in SQL."""

from __future__ import annotations

import json
import logging
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from warehouse.errors import UsageError
from warehouse.storage.durable import replace_file
from warehouse.storage.paths import Folder

log = logging.getLogger(__name__)

_MARK = "demo.json"

_PARTNERS = """
    SELECT
        coalesce(
            {end}_cell_type, if({end}_n_nuclei_on_root = 0, 'root without nucleus', 'untyped or merged')
        ) AS partner,
        count(*) AS n_partners,
        sum(n_syn)::BIGINT AS n_syn
    FROM connections_typed
    WHERE {cell}_pt_root_id = $cell
    GROUP BY ALL
    ORDER BY n_syn DESC, partner
    LIMIT 8
"""
_BUSIEST = """
    SELECT pre_nucleus_id, pre_pt_root_id, pre_cell_type, pre_strategy_axon
    FROM connections_proofread
    WHERE pre_is_current AND pre_cell_class = 'excitatory'
    GROUP BY ALL
    ORDER BY sum(n_syn) DESC, pre_nucleus_id
    LIMIT 1
"""
_PROBABILITY = """
    WITH proofread AS (
        SELECT pt_root_id, cell_class, strategy_axon
        FROM cells
        WHERE is_single_soma AND status_axon AND is_current AND strategy_axon <> 'none'
            AND cell_class IN ('excitatory', 'inhibitory')
    )
    SELECT
        pre.strategy_axon AS pre_strategy_axon,
        pre.cell_class AS pre_class,
        post.cell_class AS post_class,
        count(*) AS possible_pairs,
        count(k.n_syn) AS connected_pairs,
        round(count(k.n_syn) / count(*), 4) AS probability
    FROM proofread AS pre
    JOIN proofread AS post ON post.pt_root_id <> pre.pt_root_id
    LEFT JOIN connections_proofread AS k
        ON k.pre_pt_root_id = pre.pt_root_id AND k.post_pt_root_id = post.pt_root_id
    GROUP BY ALL
    ORDER BY ALL
"""
_CHANGES = """
    SELECT change, count(*) AS n_cells
    FROM root_id_changes
    GROUP BY ALL
    ORDER BY ALL
"""


@dataclass(frozen=True)
class _Recipe:
    """What a demo folder was made from; the same recipe gives the same rows."""

    cells: int
    seed: int


def demo(
    directory: Annotated[Path, Parameter(help="Where to make the warehouse.")] = Path("microns-demo"),
    *,
    cells: Annotated[int, Parameter(help="Number of nuclei in the synthetic volume.")] = 2000,
    seed: Annotated[int, Parameter(help="Another number gives another volume.")] = 0,
) -> None:
    """Try everything without an account: make a small synthetic volume, serve it on this machine as CAVE would,
    snapshot two versions through the real CAVE client, build the database, and answer a few questions.

    Nothing in the answers is biology: the volume is made up, in the proportions of the published one.
    """
    recipe = _Recipe(_sensible(cells), seed)
    folder = _prepare(directory, recipe)
    if _is_made(directory, folder):
        log.info("the demo is in %s already; asking it again", directory)
    else:
        _mark(directory, recipe, is_made=False)  # first of all: whatever is written here is synthetic
        _make(folder, recipe)
        _mark(directory, recipe, is_made=True)
    _answer(folder)
    log.info("ask it yourself: microns path --shell --root %s", directory)


def refuse_demo(folder: Folder) -> None:
    """Keep real data out of a folder of synthetic ones.

    Raises:
        UsageError: the folder is a demo's.
    """
    root = folder.path.parent
    if (root / _MARK).exists():
        raise UsageError(f"{root} holds a demo, whose data are synthetic; fetch into another folder with --root")


def _sensible(cells: int) -> int:
    if not 200 <= cells <= 50_000:
        raise UsageError(f"--cells {cells}: the demo makes 200 to 50,000 cells; try: microns demo --cells 2000")
    return cells


def _prepare(directory: Path, recipe: _Recipe) -> Folder:
    """The folder of the demo; one made from another recipe is made anew, anybody else's is left alone."""
    folder = Folder.of(directory)
    mark = directory / _MARK
    if mark.exists() and not asdict(recipe).items() <= _marked(directory).items():
        shutil.rmtree(folder.path, ignore_errors=True)
        mark.unlink()
    elif folder.versions() and not mark.exists():
        raise UsageError(
            f"{directory} holds a warehouse that is not a demo; name another folder: microns demo DIR"
        )
    return folder


def _mark(directory: Path, recipe: _Recipe, *, is_made: bool) -> None:
    for left in directory.glob(f".{_MARK}.*"):
        left.unlink(missing_ok=True)  # a demo was killed before it gave the file its name
    replace_file(directory / _MARK, json.dumps({**asdict(recipe), "is_made": is_made}).encode())


def _marked(directory: Path) -> dict[str, object]:
    """What the mark says; nothing where there is none, or only half of one."""
    try:
        noted = json.loads((directory / _MARK).read_text())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _is_made(directory: Path, folder: Folder) -> bool:
    """Whether a demo was made to its end; one that was interrupted is continued."""
    return bool(_marked(directory).get("is_made", True)) and folder.database.is_file()


def _make(folder: Folder, recipe: _Recipe) -> None:
    from ingest.cave.service import CaveService
    from ingest.cave.source import CaveSource
    from ingest.job.order import Order
    from ingest.job.skeletons import SkeletonJob
    from ingest.job.snapshot import Snapshot
    from warehouse.catalog.build import build
    from warehouse.demo.served_volume import from_volume
    from warehouse.demo.synthetic import synthesize
    from warehouse.serve import serve

    logging.getLogger("caveclient").setLevel(logging.ERROR)
    begin = time.perf_counter()
    volume = synthesize(cells=recipe.cells, seed=recipe.seed)
    log.info("made a synthetic volume of %s nuclei, seed %d", f"{recipe.cells:,}", recipe.seed)
    with serve(from_volume(volume), faithful=True) as service:
        log.info("serving it at %s as CAVE would, its bugs included", service.url)
        source = CaveService(folder.datastack, server=service.url, token=service.token)
        for info in volume.versions:
            order = Order(info.version, synapses="all")
            Snapshot(folder, order).run(lambda: CaveSource(source))
            for _ in range(2):  # a few skeletons are made only when they were asked for
                SkeletonJob(folder, info.version, "proofread").run(lambda: source)
        log.info("fetched versions %s in %d requests", folder.versions(), len(service.requests))
    build(folder)
    log.info("built %s; all of it in %.0f s", folder.database, time.perf_counter() - begin)


def _answer(folder: Folder) -> None:
    from warehouse.query.session import connect

    with connect(root=folder.path.parent, datastack=folder.datastack) as warehouse:

        def show(title: str, query: str, **parameters: int) -> None:
            print(f"\n{title} (synthetic)")
            warehouse.sql(query, **parameters).show(max_width=120)

        show("Versions here", "SELECT version, time_stamp, is_default, n_tables, synapse_scope FROM versions")
        ((nucleus, root, cell_type, strategy),) = warehouse.sql(_BUSIEST).fetchall()
        cell = f"{cell_type} cell with nucleus {nucleus}, root {root}, {strategy}"
        show(f"Who receives the outputs of the {cell}", _PARTNERS.format(end="post", cell="pre"), cell=root)
        show("Who its inputs come from", _PARTNERS.format(end="pre", cell="post"), cell=root)
        show("How likely proofread cells connect, by how far the axon was followed", _PROBABILITY)
        show("How many cells have another root id in the later version", _CHANGES)
