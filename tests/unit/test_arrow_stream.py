"""An Arrow stream is rows only if it is whole."""

from __future__ import annotations

import pyarrow as pa
import pytest

from ingest.cave.service import read_stream
from warehouse.errors import SourceUnavailable

BATCHES = [pa.record_batch({"id": pa.array([first, first + 1], pa.int64())}) for first in (1, 3, 5)]


def stream(batches: int, *, ended: bool = True) -> bytes:
    """The bytes of the first batches; without its end, the stream is cut exactly between two messages."""
    sink = pa.BufferOutputStream()
    writer = pa.ipc.new_stream(sink, BATCHES[0].schema)
    for batch in BATCHES[:batches]:
        writer.write_batch(batch)
    written = sink.tell()
    writer.close()
    content = bytes(sink.getvalue())
    return content if ended else content[:written]


def test_a_whole_stream_is_all_of_its_rows() -> None:
    assert read_stream(stream(3))["id"].to_pylist() == [1, 2, 3, 4, 5, 6]
    assert read_stream(stream(0)).num_rows == 0


@pytest.mark.parametrize("batches", [1, 2, 3])
def test_a_stream_cut_between_two_messages_is_no_answer(batches: int) -> None:
    """Arrow itself reads it without a word."""
    cut = stream(batches, ended=False)
    assert stream(3).startswith(cut)
    assert pa.ipc.open_stream(cut).read_all().num_rows == 2 * batches
    with pytest.raises(SourceUnavailable, match="was cut on the way"):
        read_stream(cut)
