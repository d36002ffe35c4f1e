"""Tables on screen."""

from __future__ import annotations

from warehouse.commands.render import table_text


def test_columns_align_and_ids_keep_their_digits() -> None:
    text = table_text(("pt_root_id", "type", "share"), [(864691135572530981, "23P", 0.12345), (7, None, None)])
    assert text.splitlines() == [
        "        pt_root_id  type   share",
        "864691135572530981  23P   0.1235",
        "                 7",
    ]


def test_no_rows_leave_the_header() -> None:
    assert table_text(("a", "bb"), []) == "a  bb"
