"""Every name that a database answers to, created in steps; in which order, the build says (`build.py`).

Names are of three kinds, which differ in when they can be made. Most are of one version. Some span versions: those
under sql/versions, which are in `main`. A few are of one version and read what spans versions: `_foreign_ids` and
what is built on it. These cross-version views come last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

import duckdb

from warehouse.catalog.base_relations import AllVersions
from warehouse.catalog.version_schema import (
    create_default_name,
    create_in_main,
    create_in_version,
    create_path_macro,
    create_tables,
    create_without_rows,
)
from warehouse.catalog.views import VIEWS_VERSION, View, load_views
from warehouse.registry.datastacks import datastack_of
from warehouse.storage.manifest import Manifest


class Names:
    """Creates the names of a database, in the current database of a connection.

    Attributes:
        views: all views and macros.
        manifests: of each version, as they now are: whoever stores rows between two steps puts the new one here.
    """

    def __init__(
        self, con: duckdb.DuckDBPyConnection, datastack: str, manifests: Mapping[int, Manifest], default: int
    ) -> None:
        """Prepare.

        Args:
            con: an empty database, which is the current one.
            datastack: CAVE's name of the dataset.
            manifests: of each version.
            default: the version that plain names answer from.
        """
        self._con = con
        self._datastack = datastack_of(datastack)
        self._default = default
        self.views = load_views(self._datastack)
        self.manifests = dict(manifests)
        is_bundle = any("bundle" in manifest.tools for manifest in manifests.values())
        here = [view for view in self.views.values() if is_bundle or view.only != "bundles"]
        self._spanning = [view for view in here if view.spans_versions]
        cross_version = [view for view in here if view.is_cross_version]
        self._cross_version_stored = [view for view in cross_version if view.store]
        self._cross_version = [view for view in cross_version if not view.store]
        self._own = [view for view in here if not (view.spans_versions or view.is_cross_version)]
        self._there: dict[int, set[str]] = {}
        below = self._below(self._cross_version_stored)
        self._histories = [view for view in self._spanning if view.name in below]

    def create_path_macro(self) -> None:
        """`main._path`, which all paths go through."""
        create_path_macro(self._con)

    def create_tables(self, version: int) -> None:
        """Both schemas of a version, and its tables under CAVE's names."""
        with self._one_thread():
            create_tables(self._con, self.manifests[version])

    def create_views_to_store(self, version: int) -> None:
        """The views of a version whose rows are still to be stored, and what they are built on."""
        stored = [
            view for view in self._own if view.store and view.name not in self.manifests[version].stored_views
        ]
        self._there[version] = self._below(stored)
        self._create(version, [view for view in self._own if view.name in self._there[version]])

    def create_other_views(self, version: int) -> None:
        """All others of a version, cross-version views excepted: bound sooner over stored rows than over views."""
        self._create(version, [view for view in self._own if view.name not in self._there[version]])

    def create_default_names(self) -> None:
        """In `main`, the public names of the default version."""
        self._create_default(self._own)

    def create_histories(self) -> None:
        """What spans versions and cross-version views to be stored are built on."""
        self._create_in_main(self._histories)

    def create_cross_version_views_to_store(self, version: int) -> None:
        """The cross-version views of a version that are to be stored; without rows if it is alone."""
        with self._one_thread():
            create = create_in_version if len(self.manifests) > 1 else create_without_rows
            for view in self._cross_version_stored:
                create(self._con, self.manifests[version], view, self.views)

    def create_spanning_views(self) -> None:
        """All others that span versions: what they say of the versions is now final."""
        self._create_in_main([view for view in self._spanning if view not in self._histories])

    def create_cross_version_views(self) -> None:
        """All other cross-version views: DuckDB makes no macro before all that it names is there."""
        for version in self.manifests:
            self._create(version, self._cross_version)
        self._create_default(self._cross_version)

    def _below(self, some: Iterable[View]) -> set[str]:
        """The names of some views and of all that they are built on."""
        found = {view.name for view in some}
        for view in reversed(list(self.views.values())):  # each comes after those it is built on
            if view.name in found:
                found |= view.dependencies(self.views)
        return found

    def _create(self, version: int, some: Iterable[View]) -> None:
        with self._one_thread():
            for view in some:
                create_in_version(self._con, self.manifests[version], view, self.views)

    def _create_in_main(self, some: Iterable[View]) -> None:
        versions = AllVersions(self.views, self.manifests, self._default, VIEWS_VERSION)
        with self._one_thread():
            for view in some:
                create_in_main(self._con, view, versions, self._datastack)

    def _create_default(self, some: Iterable[View]) -> None:
        with self._one_thread():
            for view in some:
                if not view.hidden:
                    create_default_name(self._con, self.manifests[self._default], view)

    @contextmanager
    def _one_thread(self) -> Iterator[None]:
        """For a thousand small changes of the catalog: waking more threads for each takes a third longer."""
        self._con.execute("SET threads = 1")
        yield
        self._con.execute("RESET threads")
