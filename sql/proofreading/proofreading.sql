-- Which axons and dendrites were proofread, and how far, one row per assessed segment.
--
-- What proofreading allows. Outputs: use only axons with `status_axon`. What their outputs show depends on
-- `strategy_axon`. Partially extended and interareal axons are a sample of potential partners. Only fully extended
-- axons are near complete. So never pool strategies without saying so. Inputs: number, size and place of inputs need
-- no proofreading of the dendrite. Who the inputs come from is known only for presynaptic axons that were proofread.
--
-- Values of `strategy_axon`, after CAVE's description of the table: axon_fully_extended (every branch was followed
-- from the soma to its end, then every end was looked at once more), axon_partially_extended (every branch was
-- followed once), axon_interareal (branches to other areas first, so local branches may be incomplete),
-- axon_column_truncated (no longer in use), none, and axon_clean in old versions. Values of `strategy_dendrite`:
-- dendrite_extended (false merges removed, every tip looked at), dendrite_clean (false merges removed, not every tip
-- looked at), none. Neither looks for spine heads that the segmentation cut off. The synapses on these spine heads are
-- on orphan pieces, and so missing from the inputs of the cell.
--
-- Two generations of the table are one here. The older one (proofreading_status_public_release: non, clean, extended)
-- is used only in versions without the newer one. Its `clean` axons (no false merges, ends not followed) read
-- `axon_clean`, because the newer table has no equal word. If a segment has several assessments, a current one comes
-- first, then one with a proofread axon, then the latest. So a join with this view never multiplies synapses.
-- grain: pt_root_id
-- requires: proofreading_status_and_strategy or proofreading_status_public_release
-- warning: if is_current is false, the cell was edited after the assessment: decide yourself whether to drop it, nothing is dropped here
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
