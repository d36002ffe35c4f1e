"""What people and models say about the type of each cell: predictions, expert labels and corrections."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from warehouse.demo.synthetic import published, space
from warehouse.demo.synthetic.cells import Cells, of_type
from warehouse.demo.synthetic.edits import Nuclei
from warehouse.demo.synthetic.ids import Bools, Ints, scaled, stream
from warehouse.demo.synthetic.published import EXCITATORY, INHIBITORY, NONNEURON, TYPE_NAMES, TYPES

Columns = dict[str, pa.Array]

Words = str | NDArray[np.str_] | NDArray[np.object_]

_COLUMN_WORDS = ("aibs_coarse_excitatory", "aibs_coarse_inhibitory", "aibs_coarse_nonneuronal")
_CLASS_WORDS = ("excitatory_neuron", "inhibitory_neuron", "nonneuron")
_WRONG_TYPES = 0.05  # share of the predicted types that are not the true one, a choice
_MISSED_NEURONS, _FALSE_NEURONS = 0.015, 0.02  # of the classifier, choices
_BAYLOR_DISAGREES = 0.04
_CORRECTED = 0.012  # share of the predictions that the living correction tables hold, a choice
_MULTIFEATURE = 0.8  # share of the typed neurons, a choice
_DEEP_UM = 690.0

# The finer names of a type, from shallow to deep.
_MTYPES = {
    "23P": ("L2a", "L2b", "L2c", "L3a", "L3b"), "4P": ("L4a", "L4b", "L4c"), "5P-IT": ("L5a", "L5b"),
    "5P-ET": ("L5ET",), "5P-NP": ("L5NP",), "6P-IT": ("L6short-a", "L6short-b", "L6tall-a"),
    "6P-CT": ("L6tall-b", "L6tall-c", "L6wm"), "BC": ("PTC",), "MC": ("DTC",), "BPC": ("ITC",), "NGC": ("STC",),
}  # fmt: skip
_MULTIFEATURE_TYPES = {
    "23P": ("L2IT", "L3IT"), "4P": ("L4IT",), "5P-IT": ("L5IT",), "5P-ET": ("L5ET",), "5P-NP": ("L5NP",),
    "6P-IT": ("L6IT",), "6P-CT": ("L6CT",), "BC": ("ChC", "PV", "AltBasket"), "MC": ("MC", "NMC", "DTC", "AltDTC"),
    "BPC": ("ITC", "ITCperi"), "NGC": ("L1", "NGC"),
}  # fmt: skip


def predicted_types(cells: Cells) -> Ints:
    """The type that the soma and nucleus model gives to each cell; some are wrong within their class."""
    rng = stream(cells.seed, "predicted types")
    predicted = cells.type_index.copy()
    for cell_class in range(len(published.CLASSES)):
        members = rng.permutation(np.flatnonzero(cells.typed & (cells.cell_class == cell_class)))
        wrong = members[: scaled(len(members), _WRONG_TYPES, 1.0)]
        kinds = np.array([index for index, kind in enumerate(TYPES) if kind.cell_class == cell_class])
        place = np.searchsorted(kinds, predicted[wrong]) + rng.choice([-1, 1], len(wrong))
        predicted[wrong] = kinds[place % len(kinds)]
    return predicted


def _labels(cells: Cells, who: Ints, system: Words, cell_type: Words) -> Columns:
    return {
        "target_id": pa.array(cells.nucleus_id[who]),
        "classification_system": pa.array(np.broadcast_to(system, len(who)).tolist(), pa.string()),
        "cell_type": pa.array(np.broadcast_to(cell_type, len(who)).tolist(), pa.string()),
    }


def _class_words(type_index: Ints, words: tuple[str, ...]) -> NDArray[np.str_]:
    classes = np.array([kind.cell_class for kind in TYPES])[type_index]
    chosen: NDArray[np.str_] = np.array(words)[classes]
    return chosen


def neuron_classifier(cells: Cells, nuclei: Nuclei) -> Columns:
    """nucleus_ref_neuron_svm: every detection, with misses and false positives."""
    rng = stream(cells.seed, "neuron classifier")
    called = cells.is_neuron | nuclei.false_neuron
    glia = np.flatnonzero(~called)
    called[rng.permutation(glia)[: scaled(len(glia), _FALSE_NEURONS, 1.0)]] = True
    missed = np.flatnonzero(cells.is_neuron)
    called[rng.permutation(missed)[: scaled(len(missed), _MISSED_NEURONS, 1.0)]] = False
    return _labels(cells, np.arange(len(cells)), "is_neuron", np.where(called, "neuron", "not-neuron"))


def metamodel(cells: Cells, predicted: Ints) -> Columns:
    """aibs_metamodel_celltypes_v661: a predicted type for about two thirds of the nuclei."""
    who = np.flatnonzero(cells.typed)
    return _labels(cells, who, _class_words(predicted[who], _CLASS_WORDS), np.array(TYPE_NAMES)[predicted[who]])


def metamodel_corrections(cells: Cells, predicted: Ints) -> Columns:
    """aibs_metamodel_celltypes_v661_corrections: mostly wrong predictions made right, some given up."""
    rng = stream(cells.seed, "corrections")
    wrong = rng.permutation(np.flatnonzero(cells.typed & (predicted != cells.type_index)))
    number = scaled(len(wrong), _CORRECTED, _WRONG_TYPES, at_least=6)
    who = wrong[:number]
    names = np.array(TYPE_NAMES, dtype=object)[cells.type_index[who]]
    names[0::9], names[1::9] = "unsure", "error"
    return _labels(cells, who, _class_words(cells.type_index[who], _CLASS_WORDS), names)


def column_types(cells: Cells) -> Columns:
    """allen_v1_column_types_slanted_ref: expert labels, in the experts' own words."""
    who = np.flatnonzero(cells.in_column & cells.is_neuron)
    names = np.array(TYPE_NAMES, dtype=object)[cells.type_index[who]]
    deep = space.depth_um(cells.position[who]) > _DEEP_UM
    names[of_type(cells, "5P-ET")[who]] = "5P-PT"
    names[of_type(cells, "6P-IT", "6P-CT")[who] & deep] = "WM-P"
    for cell_class, word in ((EXCITATORY, "Unsure E"), (INHIBITORY, "Unsure I")):
        members = np.flatnonzero((cells.cell_class[who] == cell_class) & (names != "5P-PT"))
        names[members[: scaled(len(members), 0.02, 1.0)]] = word
    sixes = np.flatnonzero(names == "6P-IT")
    names[sixes[: len(sixes) // 12]] = "6P-U"
    classes = np.array(_class_words(cells.type_index[who], _COLUMN_WORDS), dtype=object)
    unclear = np.flatnonzero(np.isin(names, TYPE_NAMES))[-1:]
    names[unclear], classes[unclear] = "Unsure", "aibs_coarse_unclear"
    return _labels(cells, who, classes, names)


def column_nonneurons(cells: Cells) -> Columns:
    """aibs_column_nonneuronal_ref: expert labels of the glia of the column."""
    who = np.flatnonzero(cells.in_column & ~cells.is_neuron)
    return _labels(cells, who, _COLUMN_WORDS[NONNEURON], np.array(TYPE_NAMES)[cells.type_index[who]])


def _finer(cells: Cells, types: Ints, names: dict[str, tuple[str, ...]]) -> NDArray[np.object_]:
    """The finer name of each neuron by its depth within its type."""
    rng = stream(cells.seed, "finer names")
    depth = space.depth_um(cells.position) + rng.normal(0, 8, len(cells))
    finer = np.full(len(cells), "", dtype=object)
    for name, choices in names.items():
        members = np.flatnonzero(types == TYPE_NAMES.index(name))
        rank = np.argsort(np.argsort(depth[members]))
        finer[members] = np.array(choices)[rank * len(choices) // max(1, len(members))]
    return finer


def _mtype_rows(cells: Cells, who: Ints, types: Ints) -> Columns:
    finer = _finer(cells, types, _MTYPES)
    return _labels(cells, who, _class_words(types[who], published.CLASSES), finer[who])


def model_mtypes(cells: Cells, predicted: Ints) -> Columns:
    """aibs_metamodel_mtypes_v661_v2: predicted m-types of the typed neurons."""
    return _mtype_rows(cells, np.flatnonzero(cells.typed & cells.is_neuron), predicted)


def mtype_corrections(cells: Cells, predicted: Ints) -> Columns:
    """aibs_metamodel_mtypes_v661_v2_corrections: true m-types where the model was wrong."""
    rng = stream(cells.seed, "mtype corrections")
    wrong = np.flatnonzero(cells.typed & cells.is_neuron & (predicted != cells.type_index))
    number = scaled(len(wrong), _CORRECTED, _WRONG_TYPES, at_least=4)
    return _mtype_rows(cells, rng.permutation(wrong)[:number], cells.type_index)


def column_mtypes(cells: Cells) -> Columns:
    """allen_column_mtypes_v2: m-types of the neurons of the column."""
    return _mtype_rows(cells, np.flatnonzero(cells.in_column & cells.is_neuron), cells.type_index)


def baylor_classes(cells: Cells) -> Columns:
    """baylor_log_reg_cell_type_coarse_v1: excitatory or inhibitory from spines, at times another answer."""
    rng = stream(cells.seed, "baylor")
    neurons = rng.permutation(np.flatnonzero(cells.typed & cells.is_neuron))
    who = np.sort(neurons[: scaled(len(neurons), published.BAYLOR_NEURONS, published.TYPED_NEURONS)])
    inhibitory: Bools = cells.cell_class[who] == INHIBITORY
    inhibitory[rng.permutation(len(who))[: scaled(len(who), _BAYLOR_DISAGREES, 1.0)]] ^= True
    return _labels(cells, who, "baylor_log_reg_cell_type_coarse", np.where(inhibitory, "inhibitory", "excitatory"))


def gnn_types(cells: Cells, predicted: Ints) -> Columns:
    """baylor_gnn_cell_type_fine_model_v2: the classifier's types in the experts' words, of some of the neurons."""
    neurons = stream(cells.seed, "gnn").permutation(np.flatnonzero(cells.typed & cells.is_neuron))
    who = np.sort(neurons[: scaled(len(neurons), published.BAYLOR_NEURONS, published.TYPED_NEURONS)])
    who = who[cells.cell_class[who] != NONNEURON]
    names = np.array(TYPE_NAMES, dtype=object)[predicted[who]]
    names[names == "5P-ET"] = "5P-PT"
    is_neuronal = np.isin(predicted[who], np.flatnonzero([kind.cell_class != NONNEURON for kind in TYPES]))
    return _labels(cells, who[is_neuronal], "baylor_gnn_cell_type_fine", names[is_neuronal])


def multifeature_types(cells: Cells) -> Columns:
    """cell_type_multifeature_combo: types from dendrite, soma and spines together, in its own words."""
    rng = stream(cells.seed, "multifeature")
    neurons = rng.permutation(np.flatnonzero(cells.typed & cells.is_neuron))
    who = np.sort(neurons[: scaled(len(neurons), _MULTIFEATURE, 1.0)])
    finer = _finer(cells, cells.type_index, _MULTIFEATURE_TYPES)
    return _labels(cells, who, _class_words(cells.type_index[who], _CLASS_WORDS), finer[who])
