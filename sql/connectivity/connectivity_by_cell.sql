-- What each cell with a proofread axon sends to each type of cells, one row per presynaptic cell and target type.
--
-- Use it to bootstrap: resample presynaptic cells, not pairs, because the pairs of one axon are not independent. Cells
-- are alone on their segment (`is_single_soma`). Targets include cells that are no neurons. Types without a connection
-- are rows with 0. Where `pre_is_current` holds, the rows of one strategy and type add up to `cell_type_connectivity`.
-- Orphan pieces and merged cells as targets are only in `connections_proofread`.
-- grain: pre_nucleus_id, post_cell_type
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
-- warning: never pool strategies without saying so
-- cite: microns2025, schneidermizell2025, turner2022
-- questions: Q32, Q39, Q43
-- example: SELECT pre_nucleus_id, post_cell_type, n_connected, n_possible, n_syn FROM connectivity_by_cell WHERE
--     n_connected > 2 ORDER BY n_connected DESC, pre_nucleus_id, post_cell_type LIMIT 3
WITH post AS (
    SELECT
        p.cell_type,
        count(*) AS n
    FROM _population AS p
    WHERE p.is_single_soma
    GROUP BY p.cell_type
),

connected AS (
    SELECT
        k.pre_nucleus_id,
        b.cell_type AS post_cell_type,
        count(*) AS n_connected,
        sum(k.n_syn)::BIGINT AS n_syn,
        sum(k.sum_size)::BIGINT AS sum_size
    FROM _cell_pairs AS k
    JOIN _population AS b ON b.nucleus_id = k.post_nucleus_id AND b.is_single_soma
    GROUP BY k.pre_nucleus_id, b.cell_type
),

counted AS (
    SELECT
        pre.*,
        post.cell_type AS post_cell_type,
        post.n - (pre.cell_type IS NOT DISTINCT FROM post.cell_type)::BIGINT AS n_possible
    FROM _population AS pre
    CROSS JOIN post
    WHERE pre.is_single_soma AND pre.strategy_axon IS NOT NULL
)

SELECT
    c.nucleus_id AS pre_nucleus_id, -- The presynaptic cell
    c.pt_root_id AS pre_pt_root_id, -- Its segment in this version
    c.cell_class AS pre_cell_class, -- Class of the presynaptic cell: excitatory, inhibitory, nonneuron
    c.cell_type AS pre_cell_type, -- Type of the presynaptic cell
    c.visual_area AS pre_visual_area, -- Visual area of the presynaptic soma
    c.strategy_axon AS pre_strategy_axon, -- How far the presynaptic axon was proofread
    c.is_current AS pre_is_current, -- Whether the presynaptic segment is still the one that was proofread
    c.post_cell_type, -- Type of the targets; NULL = unknown
    c.n_possible, -- Number of cells of that type, the presynaptic one excepted
    coalesce(k.n_connected, 0) AS n_connected, -- Number of them that receive at least one synapse
    coalesce(k.n_connected, 0) / nullif(c.n_possible, 0) AS connection_probability, -- n_connected of n_possible; NULL without a target
    coalesce(k.n_syn, 0) AS n_syn, -- Number of synapses onto them
    coalesce(k.sum_size, 0) AS sum_size, -- Summed cleft size of these synapses [voxel]
    k.sum_size / k.n_syn AS mean_size -- Mean cleft size of these synapses; NULL without one [voxel]
FROM counted AS c
LEFT JOIN connected AS k ON k.pre_nucleus_id = c.nucleus_id AND k.post_cell_type IS NOT DISTINCT FROM c.post_cell_type
