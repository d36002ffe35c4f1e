"""CAVE's views over a volume's tables, each by its plain definition.

What CAVE does inside a view about an annotation without a segmentation row is not documented: here it has root 1,
as in a table query, and is left out of what counts synapses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import duckdb
import pyarrow as pa

from warehouse.registry.tables import TABLES

_LOOKUP = """
    SELECT n.id, n.volume,
        coalesce(a.pt_root_id, n.pt_root_id, 1) AS pt_root_id,
        coalesce(n.pt_root_id, 1) AS orig_root_id,
        coalesce(a.pt_supervoxel_id, n.pt_supervoxel_id, 1) AS pt_supervoxel_id,
        n.pt_position_x, n.pt_position_y, n.pt_position_z,
        coalesce(a.pt_position_x, n.pt_position_x) AS pt_position_lookup_x,
        coalesce(a.pt_position_y, n.pt_position_y) AS pt_position_lookup_y,
        coalesce(a.pt_position_z, n.pt_position_z) AS pt_position_lookup_z
    FROM nucleus_detection_v0 AS n
    LEFT JOIN nucleus_alternative_points AS a ON a.target_id = n.id
"""

_BROAD_TYPE = (
    ("aibs_metamodel_celltypes_v661_corrections", "classification_system"),
    ("aibs_column_nonneuronal_ref", "classification_system"),
    ("allen_v1_column_types_slanted_ref", "classification_system"),
    ("baylor_log_reg_cell_type_coarse_v1", "cell_type"),
    ("aibs_metamodel_celltypes_v661", "classification_system"),
)
_CELL_TYPE = (
    ("aibs_metamodel_celltypes_v661_corrections", "cell_type"),
    ("aibs_column_nonneuronal_ref", "cell_type"),
    ("allen_v1_column_types_slanted_ref", "cell_type"),
    ("aibs_metamodel_celltypes_v661", "cell_type"),
)
_MTYPE = (
    ("aibs_metamodel_mtypes_v661_v2_corrections", "cell_type"),
    ("allen_column_mtypes_v2", "cell_type"),
    ("aibs_metamodel_mtypes_v661_v2", "cell_type"),
)
_NO_ANSWER = "('unsure', 'error', 'Unsure', 'Unsure I', 'Unsure E')"
_BROAD_WORD = """
    CASE WHEN {0} ILIKE '%excit%' THEN 'excitatory' WHEN {0} ILIKE '%inhib%' THEN 'inhibitory'
         WHEN {0} ILIKE '%nonneuron%' THEN 'nonneuron' END
"""


def _first_answer(name: str, sources: tuple[tuple[str, str], ...], answer: str) -> str:
    """A query for the answer of the first source that has one, with the source's name, for each nucleus."""
    ranked = " UNION ALL ".join(
        f"SELECT target_id, {answer.format(column)} AS {name}, '{table}' AS {name}_source, {rank} AS rank "
        f"FROM {table} WHERE {column} NOT IN {_NO_ANSWER}"
        for rank, (table, column) in enumerate(sources)
    )
    return f"""
        SELECT target_id, arg_min({name}, rank) AS {name}, arg_min({name}_source, rank) AS {name}_source
        FROM ({ranked}) WHERE {name} IS NOT NULL GROUP BY target_id
    """


_CELL_INFO = f"""
    SELECT c.id, c.pt_root_id, c.volume AS nuc_volume,
        b.broad_type, b.broad_type_source, t.cell_type, t.cell_type_source, m.mtype, m.mtype_source,
        p.status_dendrite AS dendrite_cleaned, p.status_axon AS axon_cleaned,
        p.strategy_dendrite AS dendrite_strategy, p.strategy_axon AS axon_strategy, v.tag AS visual_area,
        c.pt_position_x, c.pt_position_y, c.pt_position_z
    FROM ({_LOOKUP}) AS c
    LEFT JOIN ({_first_answer("broad_type", _BROAD_TYPE, _BROAD_WORD)}) AS b ON b.target_id = c.id
    LEFT JOIN ({_first_answer("cell_type", _CELL_TYPE, "{0}")}) AS t ON t.target_id = c.id
    LEFT JOIN ({_first_answer("mtype", _MTYPE, "{0}")}) AS m ON m.target_id = c.id
    LEFT JOIN proofreading_status_and_strategy AS p ON p.pt_root_id = c.pt_root_id AND c.pt_root_id > 1
    LEFT JOIN nucleus_functional_area_assignment AS v ON v.target_id = c.id
"""

_ONLY_NUCLEUS = f"""
    SELECT pt_root_id, min(id) AS id FROM ({_LOOKUP}) WHERE pt_root_id > 1 GROUP BY pt_root_id HAVING count(*) = 1
"""

_NEURONS = f"""
    SELECT c.id, c.pt_root_id FROM ({_LOOKUP}) AS c
    JOIN nucleus_ref_neuron_svm AS s ON s.target_id = c.id AND s.cell_type = 'neuron' WHERE c.pt_root_id > 1
"""

QUERIES: dict[str, str] = {
    "nucleus_detection_lookup_v1": _LOOKUP,
    "aibs_cell_info": _CELL_INFO,
    "connections_with_nuclei": f"""
        SELECT k.*, a.id AS pre_nuc_id, b.id AS post_nuc_id
        FROM (
            SELECT pre_pt_root_id, post_pt_root_id, count(*) AS n_syn, sum(size) AS sum_size
            FROM synapses_pni_2 WHERE pre_pt_root_id IS NOT NULL GROUP BY ALL
        ) AS k
        LEFT JOIN ({_ONLY_NUCLEUS}) AS a ON a.pt_root_id = k.pre_pt_root_id
        LEFT JOIN ({_ONLY_NUCLEUS}) AS b ON b.pt_root_id = k.post_pt_root_id
    """,
    "single_neurons": f"""
        SELECT min(id) AS id, pt_root_id FROM ({_NEURONS}) GROUP BY pt_root_id HAVING count(*) = 1
    """,
    "soma_counts": f"""
        SELECT i.cell_type, count(s.id) AS neuron_count, count(*) AS total_count
        FROM ({_CELL_INFO}) AS i LEFT JOIN ({_NEURONS}) AS s ON s.id = i.id GROUP BY i.cell_type
    """,
    "synapses_pni_2_in_out_degree": """
        SELECT coalesce(i.root_id, o.root_id) AS root_id,
            n_input, avg_input_size, n_output, avg_output_size
        FROM (
            SELECT post_pt_root_id AS root_id, count(*) AS n_input, avg(size) AS avg_input_size
            FROM synapses_pni_2 WHERE post_pt_root_id IS NOT NULL GROUP BY ALL
        ) AS i
        FULL JOIN (
            SELECT pre_pt_root_id AS root_id, count(*) AS n_output, avg(size) AS avg_output_size
            FROM synapses_pni_2 WHERE pre_pt_root_id IS NOT NULL GROUP BY ALL
        ) AS o ON o.root_id = i.root_id
    """,
}
"""The definition of each view over the valid rows of CAVE's tables."""


def view_rows(name: str, tables: Callable[[str], pa.Table], present: Mapping[str, object]) -> pa.Table:
    """The rows of one of CAVE's views, floats as double precision, in the registry's order.

    Args:
        name: of the view.
        tables: gives the database rows of a table.
        present: the tables that the version has; others count as empty.
    """
    with duckdb.connect() as connection:
        for table in TABLES:
            if table not in QUERIES and table in QUERIES[name]:
                rows = tables(table) if table in present else _empty(table)
                connection.register("incoming", rows)
                connection.execute(f"CREATE TABLE {table} AS FROM incoming WHERE valid")
                connection.unregister("incoming")
        fields = TABLES[name].arrow_schema.names
        order = ", ".join(TABLES[name].sort_by)
        return connection.sql(
            f"SELECT {', '.join(fields)} FROM ({QUERIES[name]}) ORDER BY {order}"
        ).to_arrow_table()


def _empty(name: str) -> pa.Table:
    fields = [(field, column.arrow_type) for column in TABLES[name].columns for field in column.fields]
    return pa.schema(fields).empty_table()
