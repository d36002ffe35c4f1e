"""Which requests fetch a table, for any state of what is already here."""

from hypothesis import given
from hypothesis import strategies as st

from ingest.parts.plan import Part, bound_above, chunks, gaps, rows_per_answer, tiles, window_width, windows

bounds = st.integers(1, 5_000)
widths = st.integers(1, 6_000)
ranges = st.lists(st.tuples(st.integers(0, 4_000), st.integers(1, 500)).map(lambda pair: (pair[0], sum(pair))))


def covered(parts: list[tuple[int, int]]) -> list[int]:
    return sorted(number for low, high in parts for number in range(low, high))


@given(bounds, widths)
def test_tiles_cover_a_range_exactly_once(bound: int, width: int) -> None:
    found = list(tiles(0, bound, width))
    assert covered(found) == list(range(bound))
    assert all(high - low <= width for low, high in found)


@given(ranges, bounds)
def test_gaps_and_what_is_done_cover_everything_and_share_nothing(done: list[tuple[int, int]], bound: int) -> None:
    found = list(gaps(done, bound))
    here = {number for low, high in done for number in range(low, high)}
    assert covered(found) == [number for number in range(bound) if number not in here]


@given(ranges, bounds, widths)
def test_windows_are_exactly_the_missing_ids_in_any_state(
    done: list[tuple[int, int]], bound: int, width: int
) -> None:
    parts = [Part(low, high) for low, high in done]
    missing = windows(parts, bound, width)
    ids = covered([(part.low, part.high or 0) for part in missing])
    here = {number for low, high in done for number in range(low, high)}
    assert ids == [number for number in range(bound) if number not in here]
    assert windows([*parts, *missing], bound, width) == []


@given(st.integers(0, 5_000), st.integers(2, 5_000))
def test_halves_of_a_window_are_the_window(low: int, length: int) -> None:
    part = Part(low, low + length)
    halves = part.halves(lambda: 0)
    assert halves is not None
    assert covered([(half.low, half.high or 0) for half in halves]) == list(range(low, low + length))


def test_a_single_id_has_no_halves() -> None:
    assert Part(7, 8).halves(lambda: 0) is None


@given(st.lists(st.integers(2, 10**18), min_size=2, unique=True))
def test_halves_of_a_set_are_the_set_without_asking_for_a_bound(values: list[int]) -> None:
    halves = Part(among=tuple(values)).halves(lambda: 1 // 0)
    assert halves is not None
    assert halves[0].among + halves[1].among == tuple(values)


@given(st.sets(st.integers(2, 60)), st.sets(st.integers(2, 60)), st.sets(st.integers(2, 60)), st.integers(1, 7))
def test_chunks_are_exactly_the_missing_values(
    wanted: set[int], complete: set[int], begun: set[int], size: int
) -> None:
    begun -= complete
    done = [Part(among=tuple(sorted(complete)))] if complete else []
    done += [Part(10, 20, (value,)) for value in begun]
    missing = chunks(done, wanted, size, lambda: 100)
    whole = [value for part in missing if part.high is None for value in part.among]
    assert sorted(whole) == sorted(wanted - complete - begun)
    assert all(len(part.among) <= size for part in missing)
    for value in wanted & begun:
        ranges = [(part.low, part.high or 0) for part in missing if part.among == (value,)]
        assert covered(ranges) == [*range(10), *range(20, 100)]
    assert chunks([*done, *missing], wanted, size, lambda: 100) == []


@given(st.sets(st.integers(0, 10**9), min_size=1), st.integers(1, 10**6), st.integers(1, 10**5))
def test_the_bound_is_above_all_ids_and_not_far_above(ids: set[int], guess: int, width: int) -> None:
    largest, asked = max(ids), []

    def exists(bound: int) -> bool:
        asked.append(bound)
        return largest >= bound

    bound = bound_above(exists, guess, width)
    assert bound > largest
    assert bound - largest <= max(width, guess)
    assert len(asked) <= 80


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(1, 10**6))
def test_a_window_holds_about_the_rows_that_one_answer_should(rows: int, bound: int, wanted: int) -> None:
    width = window_width(rows, bound, wanted)
    assert width >= 1
    if rows <= bound and width > 1:
        assert rows * width / bound <= wanted * (1 + 1e-9) or rows == 0


@given(st.integers(2, 10**6), st.integers(1, 10**6))
def test_what_is_asked_for_stays_below_the_cap(cap: int, most: int) -> None:
    assert 1 <= rows_per_answer(cap, most) < cap
    assert rows_per_answer(None, most) == most
