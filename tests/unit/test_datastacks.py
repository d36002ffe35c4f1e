"""What differs between datastacks reaches SQL by name, never as a number in a file."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from warehouse.catalog.references import parse, references, rewrite
from warehouse.catalog.sql_files import sql_files, sql_root
from warehouse.catalog.version_schema import resolver
from warehouse.catalog.views import assemble
from warehouse.errors import ViewError
from warehouse.registry.datastacks import MINNIE65, Layer, datastack_of, table_called

OTHER = replace(
    MINNIE65,
    name="other_brain",
    voxel_nm=(9.7, 9.7, 45),
    layers=(Layer("upper", 0, 100), Layer("lower", 100, 300.5)),
    called={"nucleus_detection_v0": "nuclei_v9"},
)


def test_layers_have_no_gaps() -> None:
    with pytest.raises(ValueError, match="other_brain: lower does not begin where upper ends"):
        replace(OTHER, layers=(Layer("upper", 0, 100), Layer("lower", 101, None)))


def test_constants_become_sql() -> None:
    views = assemble(dict(sql_files(sql_root())), OTHER)
    assert views["_pia_nm"].text.startswith("SELECT 396671.0322102845::DOUBLE")
    assert "WHEN depth < 300.5 THEN 'lower'" in views["_layer_at"].text
    assert "ELSE" not in views["_layer_at"].text


def test_the_same_sql_reads_other_tables() -> None:
    views = assemble(dict(sql_files(sql_root())), OTHER)
    nuclei = views["_nuclei"]
    text = rewrite(nuclei.text, nuclei.found, resolver(7, views, OTHER))
    assert 'FROM v7_cave."nuclei_v9" AS n' in text
    assert "v7._voxel_x_nm('nucleus_detection_v0')" in text
    assert table_called(OTHER, "synapses_pni_2") == "synapses_pni_2"
    assert table_called(OTHER, "no_such_table") is None


def test_a_name_that_is_nothing_is_an_error() -> None:
    text = "SELECT 1 AS a FROM no_such_table"
    with pytest.raises(ViewError, match="no_such_table is neither a view under sql/ nor a table"):
        rewrite(text, references(parse(text)), resolver(7, {}, MINNIE65))


def test_no_sql_file_holds_a_number_of_one_dataset() -> None:
    for path, content in sql_files(sql_root()):
        code = re.sub(r"--.*", "", content)
        assert not re.search(r"\d+\.\d{3,}|\b40\b|\b396671", code), path


def test_an_undeclared_datastack_has_names_of_tables_and_no_geometry() -> None:
    other = datastack_of("my_brain")
    assert table_called(other, "synapses_pni_2") == "synapses_pni_2"
    assert (other.voxel_nm, other.pia_nm, other.layers, other.releases) == (None, None, (), ())
    assert "declare it in warehouse/registry/datastacks.py" in other.undeclared
    assert MINNIE65.undeclared == OTHER.undeclared == ""
