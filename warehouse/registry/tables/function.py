"""Which recorded unit is which cell, and how the units are tuned."""

from __future__ import annotations

from warehouse.registry.schema import Column, Table
from warehouse.registry.tables.shared_columns import BOOKKEEPING, NUCLEUS, TO_NUCLEUS, VALID, measure

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
            *BOOKKEEPING,
            VALID,
            TO_NUCLEUS,
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


_SELECTIVITY = (
    measure("gOSI", "Global orientation selectivity index, 0 to 1"),
    measure("gDSI", "Global direction selectivity index, 0 to 1"),
    measure("cc_abs", "Correlation of the model's prediction with the mean response (test set)"),
)


def _digital_twin(name: str, match: str) -> Table:
    return Table(
        name,
        "digital_twin_properties",
        f"Tuning of each recorded unit by the digital twin model, for units matched {match}.",
        (
            *BOOKKEEPING,
            VALID,
            TO_NUCLEUS,
            *_UNIT_KEY,
            measure(
                "pref_ori",
                "Preferred orientation, 0 to 180; 0 = vertical bar moving right, counter-clockwise",
                "deg",
            ),
            measure(
                "pref_dir",
                "Preferred direction, 0 to 360; 0 = vertical bar moving right, counter-clockwise",
                "deg",
            ),
            *_SELECTIVITY,
            measure("cc_max", "Upper bound of cc_abs that the response's variability allows"),
            measure("cc_norm", "cc_abs / cc_max; missing where cc_max is 0"),
            measure("OSI", "Orientation selectivity index, 0 to 1"),
            measure("DSI", "Direction selectivity index, 0 to 1"),
            measure("readout_loc_x", "Receptive field centre, horizontal, -1 (left) to 1 (right) of the monitor"),
            measure("readout_loc_y", "Receptive field centre, vertical, -1 (bottom) to 1 (top) of the monitor"),
        ),
        role="function",
        reference=NUCLEUS,
        since=1507,
        warnings=(
            _SEVERAL_UNITS,
            "Degrees, counter-clockwise: functional_properties_v3_bcm uses radians, clockwise.",
            "This is CAVE's release of the digital twin, in its tables since 1507; readout locations of other "
            "releases differ. The file of the same name at BossDB has radians, and pixels of a 128 x 72 monitor.",
        ),
        citation=("microns2025", "ding2025", "wang2025"),
    )


TABLES = (
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
            *BOOKKEEPING,
            VALID,
            TO_NUCLEUS,
            *_UNIT_KEY,
            measure("pref_ori", "Preferred orientation; 0 = horizontal bar moving up, clockwise", "rad"),
            measure("pref_dir", "Preferred direction; 0 = horizontal bar moving up, clockwise", "rad"),
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
)
