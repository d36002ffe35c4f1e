-- Which axons and dendrites were proofread, and how far, one row per assessed segment.
--
-- What proofreading allows. Outputs: only those of axons with `status_axon`, and what they show depends on
-- `strategy_axon`: partially extended and interareal axons are a sample of potential partners, only fully extended ones
-- are near complete; so never pool strategies silently. Inputs: dendrites need no proofreading for the number, size and
-- place of inputs; who the inputs come from is known only for presynaptic axons that were proofread.
--
-- Values of `strategy_axon`: none, axon_partially_extended, axon_interareal, axon_column_truncated, axon_fully_extended,
-- and axon_clean in old versions.
--
-- Two generations of the table are one here. The older (proofreading_status_public_release: non, clean, extended) is
-- used only in versions without the newer; its `clean` axons (no false merges, ends not followed) read `axon_clean`,
-- a word of its own because the newer table has no equal. Where several assessments lie on one segment, a current one is
-- preferred, then one with a proofread axon, then the latest: a join with this view never multiplies synapses.
-- grain: pt_root_id
-- requires: proofreading_status_and_strategy or proofreading_status_public_release
-- warning: is_current = false means that the cell was edited after the assessment: a flag for you to act on, not a filter
-- cite: microns2025, schneidermizell2025
-- questions: Q14, Q15, Q16, Q17, Q18
-- example: SELECT strategy_axon, is_current, count(*) AS n FROM proofreading GROUP BY ALL ORDER BY ALL
SELECT
    p.pt_root_id,
    p.valid_id,
    p.is_current,
    p.status_dendrite,
    p.strategy_dendrite,
    p.status_axon,
    p.strategy_axon,
    p.n_assessments,
    p.proofreading_source,
    p.proofreading_id
FROM _proofreading AS p
