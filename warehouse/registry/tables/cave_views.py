"""What CAVE computes when asked: its views."""

from __future__ import annotations

from dataclasses import replace

from warehouse.registry.schema import Column, Table
from warehouse.registry.tables.shared_columns import NUCLEUS_VOLUME, position

_PAIR = (
    Column("pre_pt_root_id", "root_id", "Presynaptic segment"),
    Column("post_pt_root_id", "root_id", "Postsynaptic segment"),
    Column("n_syn", "count", "Number of synapses of the pair"),
    Column("sum_size", "double", "Summed cleft size of the pair", unit="voxel"),
)

TABLES = (
    Table(
        "nucleus_detection_lookup_v1",
        "view",
        "Nuclei with the alternative look-up point applied, as CAVE computes it.",
        (
            Column("id", "id", "Nucleus id"),
            replace(NUCLEUS_VOLUME, kind="double"),
            Column("pt_root_id", "root_id", "Segment under the look-up point in this version"),
            Column("orig_root_id", "root_id", "Segment under the centroid in this version"),
            Column("pt_supervoxel_id", "supervoxel_id", "Supervoxel under the look-up point"),
            position("pt_position", "The centroid of the nucleus"),
            position("pt_position_lookup", "The look-up point"),
        ),
        role="lookup",
        since=661,
        kind="view",
    ),
    Table(
        "aibs_cell_info",
        "view",
        "Cells with the best available type, area and proofreading, as CAVE computes it. "
        "Columns as reported of the archived file; its header decides.",
        (
            Column("id", "id", "Nucleus id"),
            Column("pt_root_id", "root_id", "Segment in this version"),
            Column("nuc_volume", "double", "Volume of the nucleus", unit="um3", nullable=True),
            Column(
                "broad_type",
                "category",
                "excitatory, inhibitory or nonneuron",
                values=("excitatory", "inhibitory", "nonneuron"),
                nullable=True,
            ),
            Column("broad_type_source", "text", "The table that broad_type comes from", nullable=True),
            Column("cell_type", "text", "Cell type by precedence", nullable=True),
            Column("cell_type_source", "text", "The table that cell_type comes from", nullable=True),
            Column("mtype", "text", "Morphological type by precedence", nullable=True),
            Column("mtype_source", "text", "The table that mtype comes from", nullable=True),
            Column("dendrite_cleaned", "bool", "Whether the dendrite was proofread", nullable=True),
            Column("axon_cleaned", "bool", "Whether the axon was proofread", nullable=True),
            Column("dendrite_strategy", "text", "How far the dendrite was proofread", nullable=True),
            Column("axon_strategy", "text", "How far the axon was proofread", nullable=True),
            Column("visual_area", "text", "Visual area of the nucleus", nullable=True),
            position("pt_position", "The centroid of the nucleus", nullable=True),
        ),
        role="cell type",
        since=1078,
        kind="view",
        citation=("elabbady2025", "schneidermizell2025", "microns2025"),
    ),
    Table(
        "connections_with_nuclei",
        "view",
        "Connected pairs of segments, with the nucleus of each end where its root has exactly one. "
        "Columns as reported of the archived file; its header decides.",
        (
            *_PAIR,
            Column("pre_nuc_id", "id", "Nucleus of the presynaptic root, if exactly one", nullable=True),
            Column("post_nuc_id", "id", "Nucleus of the postsynaptic root, if exactly one", nullable=True),
        ),
        role="connection",
        key=("pre_pt_root_id", "post_pt_root_id"),
        sort_by=("pre_pt_root_id", "post_pt_root_id"),
        since=1300,
        kind="view",
    ),
    Table(
        "single_neurons",
        "view",
        "Nuclei whose root holds exactly one neuron, as CAVE computes it. The server's list of columns decides.",
        (Column("id", "id", "Nucleus id"), Column("pt_root_id", "root_id", "Segment in this version")),
        role="summary",
        kind="view",
    ),
    Table(
        "soma_counts",
        "view",
        "Number of somata by cell type, as CAVE computes it.",
        (
            Column("cell_type", "text", "Cell type", nullable=True),
            Column("neuron_count", "count", "Number of neuronal nuclei"),
            Column("total_count", "count", "Number of all nuclei"),
        ),
        role="summary",
        key=("cell_type",),
        sort_by=("cell_type",),
        kind="view",
    ),
    Table(
        "synapses_pni_2_in_out_degree",
        "view",
        "Number and mean size of each segment's input and output synapses, unfiltered, as CAVE computes it.",
        (
            Column("root_id", "root_id", "Segment"),
            Column("n_input", "count", "Number of input synapses", nullable=True),
            Column("avg_input_size", "double", "Mean cleft size of the inputs", unit="voxel", nullable=True),
            Column("n_output", "count", "Number of output synapses", nullable=True),
            Column("avg_output_size", "double", "Mean cleft size of the outputs", unit="voxel", nullable=True),
        ),
        role="summary",
        key=("root_id",),
        sort_by=("root_id",),
        kind="view",
    ),
)
