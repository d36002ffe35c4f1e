"""What is published about minnie65, as numbers that the synthetic volume follows.

Every constant names its source: a table of a materialization version, or a paper. Where nothing is published the
value is called a choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CellClass = Literal["excitatory", "inhibitory", "nonneuron"]
CLASSES: tuple[CellClass, ...] = ("excitatory", "inhibitory", "nonneuron")
EXCITATORY, INHIBITORY, NONNEURON = range(3)

NUCLEI = 144_120
"""Rows of nucleus_detection_v0 (v1507)."""
SYNAPSES = 337_312_429
"""Rows of synapses_pni_2 (every version)."""
NEURONS = 81_995
"""Nuclei verified as neurons (v1300)."""
TYPED_NEURONS = 72_158
"""Rows of aibs_metamodel_mtypes_v661_v2 (v1507)."""
TYPED_NUCLEI = 94_014
"""Rows of aibs_metamodel_celltypes_v661 (v1507)."""
BAYLOR_NEURONS = 55_063
"""Rows of baylor_log_reg_cell_type_coarse_v1 (v1507)."""
COLUMN_NEURONS = 1_357
"""Rows of allen_v1_column_types_slanted_ref (v1507)."""
COLUMN_NONNEURONS = 542
"""Rows of aibs_column_nonneuronal_ref (v1507)."""
ALTERNATIVE_POINTS = 8_388
"""Rows of nucleus_alternative_points (v1507)."""
MERGED_NUCLEI = 3_661
"""Typed nuclei that share their root with another typed one: 94,014 - 90,353 (v1507)."""
OUTSIDE_NUCLEI = 175
"""Typed nuclei with root 0 (v1718)."""


@dataclass(frozen=True)
class CellType:
    """One cell type of aibs_metamodel_celltypes_v661.

    Attributes:
        name: as in the table.
        cell_class: index into `CLASSES`.
        count: cells with a root of their own (v1507); of the glia only the total 18,718 is published.
        depth_um: median depth below the pia (v1507); of interneurons and glia a choice.
        depth_sd_um: spread of the depth, a choice.
        nucleus_um3: typical volume of the nucleus, a choice; neurons are larger than glia.
        inputs: number of input synapses relative to other cells, a choice.
    """

    name: str
    cell_class: int
    count: int
    depth_um: float
    depth_sd_um: float
    nucleus_um3: float
    inputs: float


TYPES = (
    CellType("23P", EXCITATORY, 19_647, 168, 45, 250, 1.0),
    CellType("4P", EXCITATORY, 14_723, 306, 38, 230, 0.8),
    CellType("5P-IT", EXCITATORY, 7_892, 414, 40, 270, 1.0),
    CellType("5P-ET", EXCITATORY, 2_160, 465, 38, 440, 2.2),
    CellType("5P-NP", EXCITATORY, 958, 507, 40, 260, 0.7),
    CellType("6P-IT", EXCITATORY, 11_640, 613, 55, 230, 0.8),
    CellType("6P-CT", EXCITATORY, 6_759, 617, 55, 230, 0.8),
    CellType("BC", INHIBITORY, 3_313, 360, 150, 380, 1.3),
    CellType("MC", INHIBITORY, 2_438, 400, 150, 300, 0.8),
    CellType("BPC", INHIBITORY, 1_484, 230, 120, 270, 0.8),
    CellType("NGC", INHIBITORY, 621, 130, 130, 280, 0.7),
    CellType("astrocyte", NONNEURON, 7_107, 330, 230, 130, 0.02),
    CellType("oligo", NONNEURON, 6_712, 500, 180, 100, 0.01),
    CellType("microglia", NONNEURON, 2_595, 350, 220, 70, 0.01),
    CellType("OPC", NONNEURON, 1_682, 350, 220, 110, 0.03),
    CellType("pericyte", NONNEURON, 622, 350, 220, 75, 0.01),
)
TYPE_NAMES = tuple(cell_type.name for cell_type in TYPES)
TYPE_INDEX = {name: index for index, name in enumerate(TYPE_NAMES)}

AREAS = ("V1", "RL", "AL", "LM")
AREA_NUCLEI = (90_765, 31_622, 20_859, 874)
"""Nuclei per area (nucleus_functional_area_assignment, v1507)."""

AXON_STRATEGIES = ("axon_partially_extended", "axon_fully_extended", "axon_interareal", "none")
STRATEGIES_1507 = (1_750, 267, 124, 41)
"""Rows per axon strategy (proofreading_status_and_strategy, v1507: 2,182 rows)."""
STRATEGIES_1718 = (1_608, 547, 120, 41)
"""Rows per axon strategy (proofreading_status_and_strategy, v1718: 2,316 rows)."""
DENDRITES_NOT_PROOFREAD = 53
"""Proofread axons whose dendrite is not (v1507, of 2,141)."""
STALE_VALID_IDS = 18
"""Proofread cells whose valid_id is not the present root (v1507, of 2,088)."""
PROOFREAD_INHIBITORY = 338 / 2_070
"""Share of inhibitory cells among the proofread ones (v1507)."""

CONNECTION_PROBABILITY = ((0.0137, 0.0531), (0.0877, 0.0986))
"""Share of connected ordered pairs of proofread cells, [pre][post] with 0 = E and 1 = I (v1507)."""
SEVERAL_SYNAPSES = ((0.0975, 0.3128), (0.5139, 0.5040))
"""Share of the connected pairs that have two or more synapses, [pre][post] (v1507)."""
NUCLEUS_INPUTS = 0.76
"""Share of synapses on a root with a nucleus: a choice."""
NUCLEUS_OUTPUTS = 0.057
"""Share of synapses that leave a root with a nucleus: a choice."""
ROOT_ZERO = 0.0015
"""Share of synapses with a side outside the segmentation: a choice."""
AUTAPSES = 31_542 / 2_089_627
"""Share of the outputs of proofread axons that return to the same root (v1507)."""
CHANGED_ROOTS = 118 / 1_942
"""Share of proofread cells whose root changed from v1412 to v1507."""
TARGETS_CLASSIFIED = 204_331_842 / 337_312_429
"""Share of the synapses with a spine, shaft or soma tag (synapse_target_predictions_ssa)."""

MANUAL_MATCHES = (15_352, 19_181)
"""Cells and units of coregistration_manual_v4."""
COMBINED_MATCHES = (35_466, 83_046)
"""Cells and units of coregistration_auto_phase3_fwd_apl_vess_combined_v2."""
SCANS = (
    (4, 7), (5, 6), (5, 7), (6, 2), (6, 4), (6, 6), (6, 7), (7, 3), (7, 4), (7, 5), (8, 5), (9, 3), (9, 4), (9, 6),
)  # fmt: skip
"""The (session, scan_idx) of the functional recordings."""
UNITS_PER_SCAN = 8_241
"""Recorded units per scan: 115,372 in 14 scans."""
