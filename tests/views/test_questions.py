"""Every question of the bank has an answer in the database, which says so in its header."""

from __future__ import annotations

import pytest

from warehouse.catalog.table_catalog import QUESTIONS
from warehouse.catalog.views import load_views
from warehouse.registry.datastacks import MINNIE65

BANK = {
    "Q01": ("how many cells, how many neurons", "cells neurons cell_type_counts single_neurons"),
    "Q02": ("how many cells of each type", "cells cell_type_counts aibs_cell_info soma_counts"),
    "Q03": ("which roots hold several somata", "multi_soma_roots soma_counts single_neurons"),
    "Q04": ("types of the V1 column", "cells"),
    "Q05": ("do expert and automatic types agree", "type_agreement cells"),
    "Q06": ("finer types of a cell", "cells"),
    "Q07": ("which cells are in which area", "cells"),
    "Q08": ("depth and layer of a cell", "cells depth_um layer_of layer_bounds to_nm"),
    "Q09": ("nucleus volume by type", "cells"),
    "Q10": (
        "present root of a nucleus, nucleus of a root",
        "id_map nucleus_detection_lookup_v1 cells check_ids nucleus_of root_of",
    ),
    "Q11": (
        "which ids changed between versions",
        "id_map root_id_changes table_changes cell_synapse_changes proofreading_changes",
    ),
    "Q12": ("my cell is not in this version", "id_map check_ids"),
    "Q13": ("which types were corrected", "type_agreement cells"),
    "Q14": ("which axons were proofread, and how", "proofreading proofreading_changes"),
    "Q15": ("which proofread cells are typed, coregistered", "cells proofreading inclusion_funnel aibs_cell_info"),
    "Q16": ("is the proofreading still of this root", "proofreading"),
    "Q17": ("how many cells remain after each condition", "inclusion_funnel proofreading"),
    "Q18": ("what may be concluded from which proofreading", "proofreading connections_proofread"),
    "Q19": ("did edits change a cell", "root_id_changes cell_synapse_changes"),
    "Q20": ("inputs and outputs of a cell", "synapses in_out_degree connections input_synapses output_synapses"),
    "Q21": ("strongest partners", "connections connections_proofread input_partners output_partners"),
    "Q22": ("synapses against partners by type", "connections_typed partner_types"),
    "Q23": (
        "types of a cell's outputs and inputs",
        "connections_typed connections_proofread input_partners output_partners partner_types",
    ),
    "Q24": ("excitation and inhibition by compartment", "synapse_targets ei_balance synapses_typed"),
    "Q25": ("inputs along depth", "synapses_typed depth_um layer_bounds input_synapses"),
    "Q26": ("sizes of a partner's synapses", "connections input_partners output_partners"),
    "Q27": ("distance between partners", "connections_typed lateral_um distance_um"),
    "Q28": ("synapses in a box", "synapses synapses_in_box to_nm"),
    "Q29": ("link to a viewer", "neuroglancer_link"),
    "Q30": (
        "synapses among proofread cells",
        "connections_proofread cell_connections connection_matrix synapses_between",
    ),
    "Q31": ("cell by cell matrix", "connection_matrix"),
    "Q32": (
        "type by type matrix with probabilities",
        "cell_type_connectivity type_connectivity possible_pairs connectivity_by_cell",
    ),
    "Q33": ("degrees", "in_out_degree synapses_pni_2_in_out_degree"),
    "Q34": ("inputs and outputs of inhibitory cells", "in_out_degree connections_proofread"),
    "Q35": ("reciprocity", "reciprocal_pairs"),
    "Q36": ("common inputs and outputs", "common_inputs common_outputs"),
    "Q37": ("motifs and chains", "connections_proofread reciprocal_pairs paths_between cell_connections"),
    "Q38": ("probability against distance", "distance_dependence possible_pairs"),
    "Q39": ("multi-synaptic fraction", "cell_type_connectivity connectivity_by_cell type_connectivity"),
    "Q40": ("sensitivity to thresholds", "cell_type_connectivity connections_proofread type_connectivity"),
    "Q41": ("projections between areas", "connections_typed connections_proofread"),
    "Q42": ("layer by layer", "connections_typed layer_bounds synapses_typed"),
    "Q43": ("what interneurons target", "cell_type_connectivity connectivity_by_cell type_connectivity"),
    "Q44": ("groups of like connectivity", "connection_matrix"),
    "Q45": ("targets of labelled cells", "partner_types"),
    "Q46": ("local against distal targets", "connections_typed connections_proofread"),
    "Q47": ("inputs to cells known by nucleus", "id_map"),
    "Q48": ("excitation and inhibition of each cell", "ei_balance"),
    "Q49": ("synapses between two somata", "cell_connections connections_with_nuclei"),
    "Q50": ("autapses", "synapses"),
    "Q51": ("glia", "cells"),
    "Q52": ("a table that only CAVE knows", "table_catalog"),
    "Q53": ("the same for another brain", "dataset_constants"),
    "Q54": ("how many cells are matched to function", "functional_units"),
    "Q55": ("best recording of each cell", "functional_best functional_units"),
    "Q56": ("preferred orientation, in which convention", "functional_best functional_units"),
    "Q57": ("tuning of a cell's inputs", "functional_pairs fold_deg"),
    "Q58": ("are connected cells alike", "functional_pairs"),
    "Q59": ("do common targets share tuning", "functional_pairs common_inputs common_outputs"),
    "Q60": ("synapse size against tuning", "functional_pairs"),
    "Q61": ("quality of a recording", "functional_units"),
    "Q62": ("receptive fields of partners", "functional_pairs"),
    "Q63": ("which version, which tables, what is missing", "versions provenance"),
    "Q64": ("is anything truncated", "provenance"),
    "Q65": ("has a table changed or been retired", "provenance table_catalog table_changes"),
    "Q66": ("whom to cite", "table_catalog"),
}
"""Number, the question in short, the views and macros that answer it."""


NEEDS_NO_SOURCE = {"fold_deg", "layer_of"}
"""Arithmetic, and what names its source in its text."""


def test_the_bank_is_whole() -> None:
    assert list(BANK) == [f"Q{number:02}" for number in range(1, 67)]


@pytest.mark.parametrize("number", BANK)
def test_an_answer_exists_and_says_what_it_answers(number: str) -> None:
    from_files = {view.name: view.questions for view in load_views(MINNIE65).values() if not view.hidden}
    served = {**from_files, **QUESTIONS}
    for name in BANK[number][1].split():
        assert name in served, f"{number} ({BANK[number][0]}): there is no {name}"
        assert number in served[name], f"{name} does not say that it answers {number}"


def test_no_header_names_a_question_that_is_not_in_the_bank() -> None:
    assert {q for view in load_views(MINNIE65).values() for q in view.questions} <= set(BANK)


def test_what_a_header_says_it_answers_is_in_the_list() -> None:
    """So whoever looks for an answer finds each of them."""
    views = [view for view in load_views(MINNIE65).values() if not view.hidden]
    missing = [(q, view.name) for view in views for q in view.questions if view.name not in BANK[q][1].split()]
    assert missing == []


def test_every_view_and_macro_has_an_example_and_a_source() -> None:
    views = [view for view in load_views(MINNIE65).values() if not view.hidden]
    assert [view.name for view in views if not view.examples] == []
    assert [view.name for view in views if not (view.cites or view.name in NEEDS_NO_SOURCE)] == []
    assert [view.name for view in views if not (view.grain or view.is_scalar)] == []
