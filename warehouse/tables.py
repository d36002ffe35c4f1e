"""The registry: every CAVE table this warehouse knows, declared once.

From these declarations derive the columns asked from CAVE, the Parquet schema, the raw views and their comments,
the checks, the data dictionary and the synthetic volumes. Names are CAVE's own, verbatim, misspellings included.

Where a table's columns come from an archived file only, its description says so: the file's header decides.
"""

from __future__ import annotations

from dataclasses import replace

from warehouse.schema import Column, Role, Table

NUCLEUS = "nucleus_detection_v0"
SYNAPSE = "synapses_pni_2"

_ID = Column("id", "id", "The annotation's own id within this table; never changes")
_BOOKKEEPING = (
    _ID,
    Column("created", "timestamp", "When the annotation was made (not the version's time), UTC", nullable=True),
    Column("superceded_id", "id", "The annotation that replaced this one; spelled as in CAVE", nullable=True),
)
_VALID = Column("valid", "bool", "CAVE serves only valid annotations, so this is true", nullable=True)
_TO_NUCLEUS = Column("target_id", "id", "Nucleus id: the `id` in nucleus_detection_v0 that this row is about")
_TO_SYNAPSE = Column("target_id", "id", "Synapse id: the `id` in synapses_pni_2 that this row is about")


def _position(name: str, what: str, *, nullable: bool = False) -> Column:
    return Column(name, "point", what, unit="voxel of 4 x 4 x 40 nm", nullable=nullable)


def _bound_point(prefix: str, what: str) -> tuple[Column, Column]:
    return (
        Column(f"{prefix}_supervoxel_id", "supervoxel_id", f"Supervoxel under {what}; never changes"),
        Column(
            f"{prefix}_root_id",
            "root_id",
            f"Segment under {what} in this version; 0 = outside the segmentation, 1 = never looked up",
        ),
    )


_POINT = (_position("pt_position", "The annotated point"), *_bound_point("pt", "the annotated point"))

_CELL_CLASSES = ("excitatory_neuron", "inhibitory_neuron", "nonneuron")
_CELL_TYPES = (
    "23P", "4P", "5P-IT", "5P-ET", "5P-NP", "6P-IT", "6P-CT", "BC", "BPC", "MC", "NGC",
    "OPC", "astrocyte", "microglia", "pericyte", "oligo",
)  # fmt: skip
_AREAS = ("V1", "AL", "RL", "LM")


def _cell_types(
    name: str,
    description: str,
    *,
    systems: tuple[str, ...] = (),
    types: tuple[str, ...] = (),
    role: Role = "cell type",
    since: int | None = None,
    warnings: tuple[str, ...] = (),
    citation: tuple[str, ...] = ("microns2025", "cave2025"),
) -> Table:
    return Table(
        name,
        "cell_type_reference",
        description,
        (
            *_BOOKKEEPING,
            _VALID,
            _TO_NUCLEUS,
            Column(
                "classification_system",
                "category",
                "The broad class, in this table's own words",
                values=systems,
            ),
            Column("cell_type", "category", "The type, in this table's own words", values=types),
        ),
        role=role,
        reference=NUCLEUS,
        since=since,
        warnings=warnings,
        citation=citation,
    )


_UNIT_KEY = (
    Column("session", "integer", "Recording session; part of the unit's key"),
    Column("scan_idx", "integer", "Scan within the session; part of the unit's key"),
    Column("unit_id", "integer", "Unit (segmented cell) within the scan; part of the unit's key"),
)
_SEVERAL_UNITS = "One nucleus has several rows: one for each scan in which it was recorded."


def _coregistration(
    name: str, description: str, *, since: int, until: int | None = None, warnings: tuple[str, ...] = ()
) -> Table:
    return Table(
        name,
        "func_unit_ext_coreg",
        description,
        (
            *_BOOKKEEPING,
            _VALID,
            _TO_NUCLEUS,
            *_UNIT_KEY,
            Column("field", "integer", "Imaging field (plane) of the scan", nullable=True),
            Column(
                "residual",
                "float",
                "Distance between the unit and the nucleus after registration; smaller is better",
                unit="um",
                nullable=True,
            ),
            Column(
                "score",
                "float",
                "Margin to the next best match; larger is better, may be negative",
                unit="um",
                nullable=True,
            ),
        ),
        role="coregistration",
        reference=NUCLEUS,
        since=since,
        until=until,
        warnings=(_SEVERAL_UNITS, *warnings),
    )


def _measure(name: str, what: str, unit: str = "") -> Column:
    return Column(name, "float", what, unit=unit, nullable=True)


_SELECTIVITY = (
    _measure("gOSI", "Global orientation selectivity index, 0 to 1"),
    _measure("gDSI", "Global direction selectivity index, 0 to 1"),
    _measure("cc_abs", "Correlation of the model's prediction with the mean response (test set)"),
)


def _digital_twin(name: str, match: str) -> Table:
    return Table(
        name,
        "digital_twin_properties",
        f"Tuning of each recorded unit by the digital twin model, for units matched {match}.",
        (
            *_BOOKKEEPING,
            _VALID,
            _TO_NUCLEUS,
            *_UNIT_KEY,
            _measure(
                "pref_ori",
                "Preferred orientation, 0 to 180; 0 = vertical bar moving right, counter-clockwise",
                "deg",
            ),
            _measure(
                "pref_dir",
                "Preferred direction, 0 to 360; 0 = vertical bar moving right, counter-clockwise",
                "deg",
            ),
            *_SELECTIVITY,
            _measure("cc_max", "Upper bound of cc_abs that the response's variability allows"),
            _measure("cc_norm", "cc_abs / cc_max; missing where cc_max is 0"),
            _measure("OSI", "Orientation selectivity index, 0 to 1"),
            _measure("DSI", "Direction selectivity index, 0 to 1"),
            _measure("readout_loc_x", "Receptive field centre, horizontal, -1 (left) to 1 (right) of the monitor"),
            _measure("readout_loc_y", "Receptive field centre, vertical, -1 to 1 of the monitor"),
        ),
        role="function",
        reference=NUCLEUS,
        since=1507,
        warnings=(
            _SEVERAL_UNITS,
            "Degrees, counter-clockwise: functional_properties_v3_bcm uses radians, clockwise.",
        ),
        citation=("microns2025", "ding2025", "wang2025"),
    )


_SYNAPSE_COLUMNS = (
    _ID,
    replace(_BOOKKEEPING[1], stored=False),
    replace(_BOOKKEEPING[2], stored=False),
    replace(_VALID, stored=False),
    _position("pre_pt_position", "A point on the presynaptic side of the cleft"),
    _position("post_pt_position", "A point on the postsynaptic side of the cleft"),
    _position("ctr_pt_position", "The centre of the cleft"),
    Column("size", "integer", "Size of the cleft: number of voxels; relative, not an area", unit="voxel"),
    *_bound_point("pre_pt", "the presynaptic point"),
    *_bound_point("post_pt", "the postsynaptic point"),
)
_PROOFREADING_POINT = (*_BOOKKEEPING, _VALID, _POINT[0])
_VALID_ID = Column(
    "valid_id",
    "root_id",
    "The root when proofreading was assessed; differs from pt_root_id if the cell was edited since",
)
_NUCLEUS_VOLUME = Column("volume", "float", "Volume of the detected nucleus (not of the soma)", unit="um3")
_PAIR = (
    Column("pre_pt_root_id", "root_id", "Presynaptic segment"),
    Column("post_pt_root_id", "root_id", "Postsynaptic segment"),
    Column("n_syn", "count", "Number of synapses of the pair"),
    Column("sum_size", "float", "Summed cleft size of the pair", unit="voxel"),
)

_DECLARED = (
    Table(
        NUCLEUS,
        "nucleus_detection",
        "Automatically detected nuclei: the stable handle of every cell. One row per detection, not per neuron.",
        (
            *_BOOKKEEPING,
            _VALID,
            _NUCLEUS_VOLUME,
            _position("pt_position", "The centroid of the nucleus"),
            _position("bb_start_position", "Corner of the bounding box; mostly empty", nullable=True),
            _position("bb_end_position", "Opposite corner of the bounding box; mostly empty", nullable=True),
            *_bound_point("pt", "the centroid"),
        ),
        role="nucleus",
        since=117,
        warnings=(
            "Several nuclei may share a root: merged cells.",
            "For 8,388 nuclei the centroid hits the wrong segment: nucleus_alternative_points has a better point.",
        ),
    ),
    Table(
        "nucleus_alternative_points",
        "reference_point",
        "A better look-up point for nuclei whose centroid lies on the wrong segment.",
        (*_BOOKKEEPING, _VALID, _TO_NUCLEUS, *_POINT),
        role="lookup",
        reference=NUCLEUS,
        since=661,
    ),
    _cell_types(
        "nucleus_ref_neuron_svm",
        "Is the nucleus a neuron's? A classifier's answer for every detection.",
        systems=("is_neuron",),
        types=("neuron", "not-neuron"),
        since=661,
    ),
    _cell_types(
        "aibs_metamodel_celltypes_v661",
        "Cell types predicted from soma and nucleus features over the whole volume.",
        systems=_CELL_CLASSES,
        types=_CELL_TYPES,
        since=795,
        warnings=("A type table need not hold every nucleus of a merged root: find merges in the nucleus table.",),
        citation=("elabbady2025", "microns2025"),
    ),
    _cell_types(
        "aibs_metamodel_celltypes_v661_corrections",
        "Corrections by hand to aibs_metamodel_celltypes_v661; a living table.",
        systems=_CELL_CLASSES,
        types=(*_CELL_TYPES, "unsure", "error"),
        role="correction",
        since=1718,
        citation=("elabbady2025", "microns2025"),
    ),
    _cell_types(
        "aibs_metamodel_mtypes_v661_v2",
        "Morphological types (m-types) predicted from soma and nucleus features over the whole volume.",
        systems=("excitatory", "inhibitory"),
        types=(
            "L2a",
            "L2b",
            "L2c",
            "L3a",
            "L3b",
            "L4a",
            "L4b",
            "L4c",
            "L5a",
            "L5b",
            "L5ET",
            "L5NP",
            "L6short-a",
            "L6short-b",
            "L6tall-a",
            "L6tall-b",
            "L6tall-c",
            "L6wm",
            "PTC",
            "DTC",
            "STC",
            "ITC",
        ),
        since=795,
        citation=("schneidermizell2025", "elabbady2025"),
    ),
    _cell_types(
        "aibs_metamodel_mtypes_v661_v2_corrections",
        "Corrections by hand to aibs_metamodel_mtypes_v661_v2; a living table.",
        systems=("excitatory", "inhibitory"),
        role="correction",
        since=1718,
        citation=("schneidermizell2025", "elabbady2025"),
    ),
    _cell_types(
        "allen_v1_column_types_slanted_ref",
        "Cell types given by experts to the neurons of a column through V1.",
        systems=("aibs_coarse_excitatory", "aibs_coarse_inhibitory"),
        types=(
            "23P",
            "4P",
            "5P-IT",
            "5P-NP",
            "5P-PT",
            "6P-CT",
            "6P-IT",
            "6P-U",
            "BC",
            "BPC",
            "MC",
            "NGC",
            "Unsure E",
            "Unsure I",
            "WM-P",
        ),
        since=661,
        warnings=("5P-PT is what other tables call 5P-ET.",),
        citation=("schneidermizell2025",),
    ),
    _cell_types(
        "aibs_column_nonneuronal_ref",
        "Types given by experts to the glia and other non-neuronal cells of the V1 column.",
        systems=("aibs_coarse_nonneuronal",),
        types=("astrocyte", "microglia", "OPC", "oligo", "pericyte"),
        since=661,
        citation=("elabbady2025",),
    ),
    _cell_types(
        "allen_column_mtypes_v2",
        "Morphological types (m-types) of the neurons of the V1 column, from their full dendrites.",
        systems=("excitatory", "inhibitory"),
        since=795,
        citation=("schneidermizell2025",),
    ),
    _cell_types(
        "baylor_log_reg_cell_type_coarse_v1",
        "Excitatory or inhibitory, predicted from dendritic spines and shape.",
        types=("excitatory", "inhibitory"),
        since=661,
        citation=("celii2025",),
    ),
    _cell_types(
        "cell_type_multifeature_combo",
        "Cell types predicted from dendrite, soma and spine features together; its own naming scheme.",
        types=(
            "L2IT",
            "L3IT",
            "L4IT",
            "L5IT",
            "L5ET",
            "L5NP",
            "L6CT",
            "L6IT",
            "MC",
            "NMC",
            "DTC",
            "ChC",
            "PV",
            "ITC",
            "AltBasket",
            "AltDTC",
            "ITCperi",
            "L1",
            "NGC",
        ),
        since=1718,
    ),
    Table(
        "nucleus_functional_area_assignment",
        "reference_tag_float",
        "The visual area each nucleus lies in.",
        (
            *_BOOKKEEPING,
            Column("tag", "category", "Visual area", values=_AREAS),
            _VALID,
            _TO_NUCLEUS,
            _measure("value", "Distance to the border of the area", "um"),
        ),
        role="area",
        reference=NUCLEUS,
        since=1078,
    ),
    Table(
        "proofreading_status_and_strategy",
        "compartment_proofread_status_strategy",
        "Which axons and dendrites were proofread, and how far. One row per assessed cell.",
        (
            *_PROOFREADING_POINT,
            _VALID_ID,
            Column("status_dendrite", "bool", "Whether the dendrite was proofread"),
            Column("status_axon", "bool", "Whether the axon was proofread: its outputs may be analysed"),
            Column(
                "strategy_dendrite",
                "category",
                "How far the dendrite was proofread",
                values=("none", "dendrite_clean", "dendrite_extended"),
            ),
            Column(
                "strategy_axon",
                "category",
                "How far the axon was proofread; only fully extended is near complete",
                values=(
                    "none",
                    "axon_partially_extended",
                    "axon_interareal",
                    "axon_fully_extended",
                    "axon_column_truncated",
                ),
            ),
            *_POINT[1:],
        ),
        role="proofreading",
        since=1078,
        warnings=(
            "`id` is not a nucleus id.",
            "A stale valid_id means that the cell was edited after the assessment.",
        ),
    ),
    Table(
        "proofreading_status_public_release",
        "compartment_proofread_status",
        "Which axons and dendrites were proofread, in the words used before version 1181.",
        (
            *_PROOFREADING_POINT,
            _VALID_ID,
            Column("status_dendrite", "category", "non, clean or extended", values=("non", "clean", "extended")),
            Column("status_axon", "category", "non, clean or extended", values=("non", "clean", "extended")),
            *_POINT[1:],
        ),
        role="proofreading",
        since=343,
        until=1181,
        warnings=("Replaced by proofreading_status_and_strategy.",),
    ),
    Table(
        SYNAPSE,
        "synapse",
        "Automatically detected synapses, one row per cleft, over the whole volume.",
        _SYNAPSE_COLUMNS,
        role="synapse",
        since=117,
        sort_by=("post_pt_root_id", "id"),
        warnings=(
            "Outputs of axons that were not proofread are not to be interpreted.",
            "Most presynaptic segments are orphan pieces of axon: a segment is not a cell.",
        ),
        citation=("microns2025", "turner2022"),
    ),
    Table(
        "synapse_target_structure",
        "reference_integer",
        "What each synapse lands on, coded 0 to 6, where it was classified.",
        (*_BOOKKEEPING, _VALID, _TO_SYNAPSE, Column("value", "integer", "Code of the structure, 0 to 6")),
        role="compartment",
        reference=SYNAPSE,
        since=1078,
    ),
    *(
        Table(
            name,
            "reference_tag",
            "What each synapse lands on: spine, shaft or soma, predicted from the mesh.",
            (
                *_BOOKKEEPING,
                Column("tag", "category", "Structure on the postsynaptic side", values=("spine", "shaft", "soma")),
                _VALID,
                _TO_SYNAPSE,
            ),
            role="compartment",
            reference=SYNAPSE,
            since=since,
            until=until,
        )
        for name, since, until in (
            ("synapse_target_predictions_ssa", 1300, 1822),
            ("synapse_target_predictions_ssa_v2", 1718, None),
        )
    ),
    _coregistration(
        "coregistration_manual_v4",
        "Recorded units matched to nuclei by hand.",
        since=943,
    ),
    _coregistration(
        "coregistration_auto_phase3_fwd_v2",
        "Recorded units matched to nuclei automatically, from the manual landmarks.",
        since=1300,
    ),
    _coregistration(
        "apl_functional_coreg_vess_fwd",
        "Recorded units matched to nuclei automatically, from blood vessels.",
        since=943,
    ),
    _coregistration(
        "coregistration_auto_phase3_fwd_apl_vess_combined_v2",
        "Recorded units on which both automatic methods agree.",
        since=1300,
    ),
    Table(
        "functional_properties_v3_bcm",
        "func_properties_bcm",
        "Tuning of each recorded unit by an earlier model.",
        (
            *_BOOKKEEPING,
            _VALID,
            _TO_NUCLEUS,
            *_UNIT_KEY,
            _measure("pref_ori", "Preferred orientation; 0 = horizontal bar moving up, clockwise", "rad"),
            _measure("pref_dir", "Preferred direction; 0 = horizontal bar moving up, clockwise", "rad"),
            *_SELECTIVITY,
        ),
        role="function",
        reference=NUCLEUS,
        since=943,
        until=1507,
        warnings=(
            _SEVERAL_UNITS,
            "Radians, clockwise: the digital twin tables use degrees, counter-clockwise.",
        ),
        citation=("microns2025", "wang2025"),
    ),
    _digital_twin("digital_twin_properties_bcm_coreg_v4", "by hand"),
    _digital_twin("digital_twin_properties_bcm_coreg_auto_phase3_fwd_v2", "automatically"),
    _digital_twin("digital_twin_properties_bcm_coreg_apl_vess_fwd", "by blood vessels"),
    Table(
        "nucleus_detection_lookup_v1",
        "view",
        "Nuclei with the alternative look-up point applied, as CAVE computes it.",
        (
            Column("id", "id", "Nucleus id"),
            _NUCLEUS_VOLUME,
            Column("pt_root_id", "root_id", "Segment under the look-up point in this version"),
            Column("orig_root_id", "root_id", "Segment under the centroid in this version"),
            Column("pt_supervoxel_id", "supervoxel_id", "Supervoxel under the look-up point"),
            _position("pt_position", "The centroid of the nucleus"),
            _position("pt_position_lookup", "The look-up point"),
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
            Column("nuc_volume", "float", "Volume of the nucleus", unit="um3", nullable=True),
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
            Column("strategy_dendrite", "text", "How far the dendrite was proofread", nullable=True),
            Column("strategy_axon", "text", "How far the axon was proofread", nullable=True),
            Column("visual_area", "text", "Visual area of the nucleus", nullable=True),
            _position("pt_position", "The centroid of the nucleus", nullable=True),
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
            Column("avg_input_size", "float", "Mean cleft size of the inputs", unit="voxel", nullable=True),
            Column("n_output", "count", "Number of output synapses", nullable=True),
            Column("avg_output_size", "float", "Mean cleft size of the outputs", unit="voxel", nullable=True),
        ),
        role="summary",
        key=("root_id",),
        sort_by=("root_id",),
        kind="view",
    ),
    *(
        Table(
            name,
            "synapse",
            f"{what} Columns as reported of the archived file; its header decides.",
            _SYNAPSE_COLUMNS,
            role="synapse",
            since=since,
            sort_by=("post_pt_root_id", "id"),
            kind="archive",
            citation=("microns2025", "turner2022"),
        )
        for name, what, since in (
            (
                "synapses_with_axon_proofreading",
                "The synapses of the table that leave a proofread axon.",
                1507,
            ),
            ("synapses_pni_2_v1_filtered_view", "The whole synapse table as the archive holds it.", 1078),
        )
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _DECLARED}
"""Every declared table by its CAVE name."""
