-- Proofread axons that come from outside the volume, one row per axon: their segment has no nucleus here.
--
-- Two tables name the kind of some of them by hand: thalamic (thalamocortical) and peptidergic (neuromodulatory, by the
-- large vesicles in their boutons). Others have no kind. They are no orphan pieces: their outputs may be analysed as those
-- of other proofread axons, and `output_partners` takes their root ids.
-- grain: pt_root_id
-- requires: nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
-- warning: an axon whose own soma was not joined to it, or not detected, is here too, mostly without a kind
-- cite: microns2025
-- questions: Q51
-- example: SELECT afferent_type, strategy_axon, count(*) AS n FROM afferents GROUP BY ALL ORDER BY ALL
WITH kinds AS (
    SELECT
        pt_root_id,
        'thalamic' AS kind,
        'vortex_thalamic_proofreading_status' AS source
    FROM vortex_thalamic_proofreading_status
    UNION
    SELECT
        pt_root_id,
        'peptidergic',
        'vortex_peptidergic_proofreading_status'
    FROM vortex_peptidergic_proofreading_status
)

SELECT
    p.pt_root_id,
    string_agg(k.kind, ', ' ORDER BY k.kind) AS afferent_type, -- thalamic or peptidergic; both if both tables have the axon; NULL unknown
    string_agg(k.source, ', ' ORDER BY k.kind) AS afferent_type_source, -- The table that afferent_type comes from
    any_value(p.strategy_axon) AS strategy_axon, -- How far the axon was proofread
    any_value(p.is_current) AS is_current -- Whether the segment is still the one that was proofread
FROM _proofread_axons AS p
ANTI JOIN _root_nuclei AS r ON r.pt_root_id = p.pt_root_id
LEFT JOIN kinds AS k ON k.pt_root_id = p.pt_root_id
GROUP BY p.pt_root_id
