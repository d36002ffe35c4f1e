-- Which axons and dendrites were proofread, and how far, one row per assessed segment.
--
-- What proofreading allows. Outputs: only those of axons with `status_axon`, and what they show depends on
-- `strategy_axon`: partially extended and interareal axons are a sample of potential partners, only fully extended ones
-- are near complete; so never pool strategies silently. Inputs: dendrites need no proofreading for the number, size and
-- place of inputs; who the inputs come from is known only for presynaptic axons that were proofread.
--
-- Values of `strategy_axon`, after CAVE's description of the table: axon_fully_extended (every branch was followed from the
-- soma to its end, then every end was looked at once more), axon_partially_extended (every branch was followed once),
-- axon_interareal (branches to other areas first, so that local ones may be incomplete), axon_column_truncated (no longer
-- in use), none, and axon_clean in old versions. Of `strategy_dendrite`: dendrite_extended (false merges removed, every tip
-- looked at), dendrite_clean (false merges removed, tips not all looked at), none. Neither looks for spine heads that the
-- segmentation cut off: the synapses on these are on orphan pieces, and missing from the inputs of any cell.
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
