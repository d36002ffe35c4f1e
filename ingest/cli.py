"""The commands that fetch: plain functions that `warehouse.commands.cli` names by string and loads when called."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from warehouse.commands.options import TABLE, Datastack, Output, Root
from warehouse.registry.datastacks import DEFAULT_DATASTACK
from warehouse.storage.paths import Folder

log = logging.getLogger(__name__)


def snapshot(
    version: Annotated[int, Parameter(help="The version to fetch, for example 1718.")],
    /,
    *tables: Annotated[
        str,
        Parameter(help="CAVE's names of tables. If not given: all about cells, function and synapses."),
    ],
    source: Annotated[
        Literal["cave", "archive", "delta"] | None,
        Parameter(
            help="Where to fetch from: CAVE itself (needs an account), the public archive's files, or Delta "
            "tables (synapses only). If not given: the best source that has the version; a message says which."
        ),
    ] = None,
    from_: Annotated[
        str | None,
        Parameter("--from", help="Another place of the files: an address, or a folder with v1507 in it."),
    ] = None,
    synapses: Annotated[
        Literal["proofread", "cells", "neurons", "all"] | None,
        Parameter(
            help="Which synapses: the outputs of proofread axons (a few million, minutes; the default), all of "
            "chosen cells (--cells; beside what is here), those between two cells with a nucleus, or all 337 "
            "million. The latter two download all (a day, 16 GB)."
        ),
    ] = None,
    cells: Annotated[
        str | None,
        Parameter(
            help="With --synapses cells, whose: root ids or nucleus ids with commas between, a file with one a "
            "line, a cell type, or a query (SELECT nucleus_id FROM cells WHERE ...) to the tables that are here."
        ),
    ] = None,
    base: Annotated[
        int | None,
        Parameter(
            help="A version that is here: store only the synapses that differ from it, some 6 in 100. All are "
            "fetched all the same; this saves disk."
        ),
    ] = None,
    skeletons: Annotated[
        str | None,
        Parameter(
            help="Whose skeletons to fetch as well: proofread (those of some 2,200 axons), neurons (all 75,000), "
            "or cells as with --cells."
        ),
    ] = None,
    datastack: Datastack = DEFAULT_DATASTACK,
    server: Annotated[str | None, Parameter(help="Address of the CAVE service, if not the usual one.")] = None,
    root: Root = None,
    memory: Annotated[
        str | None, Parameter(help='Upper bound of the memory that sorting synapses takes, for example "4GB".')
    ] = None,
    layout: Annotated[
        Literal["default", "full"] | None,
        Parameter(
            help="full also stores the synapses sorted by axon and by place, so that outputs of orphan pieces and "
            "boxes are fast; three times the disk."
        ),
    ] = None,
    dry_run: Annotated[bool, Parameter(help="Only print what would be fetched.")] = False,
    quiet: Annotated[bool, Parameter(help="Show no progress.")] = False,
) -> None:
    """Fetch a version into a warehouse that works offline.

    Stopping it loses nothing: the same command continues. When all is here, it does nothing. Versions in the
    public archive need no account; CAVE itself needs a free one and its token, and says how to get it.
    """
    from ingest.cave.service import CaveService
    from ingest.demo import refuse_demo
    from ingest.job.cell_synapses import CellSynapsesJob
    from ingest.job.chosen_cells import which_cells
    from ingest.job.order import Order
    from ingest.job.skeletons import SkeletonJob
    from ingest.job.snapshot import Snapshot
    from ingest.job.sources import Sources
    from ingest.parts.progress import shown
    from ingest.parts.source import Source
    from warehouse.catalog.build import build
    from warehouse.catalog.committed import is_current
    from warehouse.errors import SnapshotIncomplete, UsageError
    from warehouse.storage.memory import byte_count

    _quiet_libraries()
    if quiet:
        logging.getLogger("ingest").setLevel(logging.WARNING)
    folder = Folder.of(root, datastack)
    refuse_demo(folder)
    if (synapses == "cells") != (cells is not None):
        raise UsageError("--synapses cells and --cells IDS belong together; give both, or neither")
    order = Order(version, tables, synapses, base, layout, byte_count(memory), source)

    def ask(query: str, parameters: dict[str, str]) -> list[int]:
        return _ids_out_of(folder, version, query, parameters)

    @cache
    def service() -> CaveService:
        return CaveService(datastack, server=server)

    sources = Sources(datastack, service, from_)

    def connect(job: Snapshot) -> Source:
        # Whoever names a service means it.
        return sources.connect(source or ("cave" if server else None), version, job.scope, job.progress)

    if dry_run:
        from ingest.job.estimate import estimate

        job = Snapshot(folder, order)
        print(estimate(job, lambda: connect(job)))
        for what, text in (("synapses", cells), ("skeletons", skeletons)):
            if text is not None and version not in folder.versions():
                log.info("whose %s are to be fetched is known when the tables are here", what)
        if version in folder.versions():
            if cells is not None:
                left = len(CellSynapsesJob(folder, version, which_cells(cells, "--cells", ask)).missing)
                log.info("the synapses of %d chosen cells are missing", left)
            if skeletons is not None:
                log.info("%s", SkeletonJob(folder, version, which_cells(skeletons, "--skeletons", ask)).cost())
        return
    with shown(quiet) as progress:
        job = Snapshot(folder, order, progress)
        was_finished = job.is_finished
        incomplete = None
        try:
            job.run(lambda: connect(job))
            if cells is not None:
                whose = which_cells(cells, "--cells", ask)
                CellSynapsesJob(folder, version, whose, progress, order.memory).run(lambda: connect(job))
                rest = Snapshot(folder, replace(order, synapses=None), progress)  # what is about those synapses
                rest.run(lambda: connect(rest))
            if skeletons is not None:
                SkeletonJob(folder, version, which_cells(skeletons, "--skeletons", ask), progress).run(service)
        except SnapshotIncomplete as error:  # what is complete can be asked all the same
            incomplete = error
    if not was_finished or not is_current(folder):
        build(folder, memory=order.memory)
    if incomplete is not None:
        raise incomplete
    print(folder.version(version))


def _ids_out_of(folder: Folder, version: int, query: str, parameters: dict[str, str]) -> list[int]:
    """The ids in the first column of an answer about a version that is here."""
    import duckdb

    from warehouse.catalog.build import build
    from warehouse.catalog.committed import is_current
    from warehouse.errors import UsageError
    from warehouse.query.session import connect

    if not is_current(folder):
        build(folder)
    with connect(version, folder.path.parent, folder.datastack, sandbox=True) as warehouse:
        try:
            rows = warehouse.sql(query, **parameters).fetchall()
        except duckdb.Error as error:
            raise UsageError(f"the query for cells cannot be answered: {str(error).splitlines()[0]}") from error
    ids = [row[0] for row in rows if row[0] is not None]
    if wrong := next((each for each in ids if type(each) is not int), None):
        raise UsageError(f"the first column of the query for cells holds {wrong!r}, which is no id")
    return ids


def versions(
    *,
    output: Output = TABLE,
    datastack: Datastack = DEFAULT_DATASTACK,
    server: Annotated[str | None, Parameter(help="Address of the CAVE service, if not the usual one.")] = None,
    from_: Annotated[
        str | None, Parameter("--from", help="Another place of the archive's files: an address or a folder.")
    ] = None,
    root: Root = None,
) -> None:
    """Show which versions there are, where each can be had, and which are here.

    The columns cave, archive and delta say what each place has: `expired` is a version that CAVE answers for no
    more, `?` a place that could not be asked. The archive and the Delta tables need no account; Delta tables hold
    synapses only. CAVE is asked if you have its token.

    Fetch a version with: microns snapshot VERSION
    """
    from ingest.cave.service import CaveService
    from ingest.job.sources import BRIEF, COLUMNS, Sources
    from warehouse.commands.render import print_rows

    form = output.form
    _quiet_libraries()
    sources = Sources(datastack, lambda: CaveService(datastack, server=server, policy=BRIEF), from_)
    print_rows(COLUMNS, sources.table(Folder.of(root, datastack).versions()), form)


def repair(
    version: Annotated[
        int | None, Parameter(help="A version that is here. If not given: all of them.", show_default=False)
    ] = None,
    *,
    server: Annotated[str | None, Parameter(help="The CAVE service; the public one if not given.")] = None,
    from_: Annotated[str | None, Parameter("--from", help="Another place of the archive's files.")] = None,
    root: Annotated[
        Path | None, Parameter(help="Where the data are; else $MICRONS_ROOT, else the platform's data folder.")
    ] = None,
    datastack: Annotated[str, Parameter(help="CAVE's name of the dataset.")] = DEFAULT_DATASTACK,
    quiet: Annotated[bool, Parameter(negative=(), help="Show no progress.")] = False,
) -> None:
    """Verify versions and heal what is damaged.

    Only a damaged table is fetched again, from where it came from. What is made from tables is made
    again here. Each file that was damaged is a line of the output.
    """
    from ingest.cave.service import CaveService
    from ingest.job.order import Order
    from ingest.job.repair import repair as heal
    from ingest.job.sources import Sources
    from ingest.parts.progress import shown
    from ingest.parts.source import Source, SourceName

    _quiet_libraries()
    folder = Folder.of(root, datastack)

    @cache
    def service() -> CaveService:
        return CaveService(datastack, server=server)

    sources = Sources(datastack, service, from_)
    with shown(quiet) as progress:

        def connect(order: Order, source: SourceName) -> Callable[[], Source]:
            return lambda: sources.connect(source, order.version, order.synapses or "all", progress)

        done = heal(folder, version, connect, service=service, progress=progress)
    print("\n".join(done) or "nothing is damaged")


def selftest(
    *,
    live: Annotated[bool, Parameter(help="Really ask the service.")] = False,
    version: Annotated[int | None, Parameter(help="The version to ask about; the newest if not given.")] = None,
    datastack: Datastack = DEFAULT_DATASTACK,
    server: Annotated[str | None, Parameter(help="Address of the CAVE service, if not the usual one.")] = None,
    out: Annotated[Path, Parameter(help="Where to write the report.")] = Path("microns-selftest.json"),
) -> None:
    """Ask CAVE a dozen harmless questions and keep the answers in a file.

    Run it once when you have a token: it shows whether everything works for you, and the file, which holds no
    token, tells the people who maintain this tool how the real service answers.
    """
    from warehouse.errors import ChecksFailed, SourceRefused, UsageError

    if not live:
        raise UsageError("this asks the real service; say that you want that: microns selftest --live")
    from ingest.cave.selftest import examine
    from ingest.cave.service import CaveService
    from warehouse.storage.disk import disk_errors

    _quiet_libraries()
    report = examine(lambda: CaveService(datastack, server=server), version)
    with disk_errors(out):
        report.write(out)
    print(report.text())
    print(f"microns: the report is in {out}", file=sys.stderr)
    if report.refusal:
        raise SourceRefused(f"{report.refusal}; nothing more was asked")
    if report.failed:
        raise ChecksFailed(f"{len(report.failed)} questions went wrong; what and why is in {out}")


def _quiet_libraries() -> None:
    """What these say is said by our own messages, in the user's words."""
    for name in ("caveclient", "stamina", "urllib3"):
        logging.getLogger(name).setLevel(logging.ERROR)
