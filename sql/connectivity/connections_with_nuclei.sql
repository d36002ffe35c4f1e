-- Connected pairs of segments with the nucleus of each end, if it has exactly one: CAVE's view of this name.
--
-- It has CAVE's columns, for code that was written against CAVE. It is `connections` with two more columns: autapses
-- and sides without a segment (roots 0 and 1) are left out, and nuclei are those at the look-up point. If CAVE's own
-- table was fetched, it is in the version's `_cave` schema, and may differ in these choices.
--
-- Fast: a filter on `post_pt_root_id`. Without a filter all pairs are formed.
-- grain: pre_pt_root_id, post_pt_root_id
-- scope: all
-- requires: synapses_pni_2, nucleus_detection_v0
-- warning: outputs of axons that were not proofread are not to be interpreted, see `connections_proofread`
-- cite: microns2025, turner2022
-- questions: Q49
-- example: SELECT count(*) AS n_pairs, count(pre_nuc_id) AS n_from_cells, count(post_nuc_id) AS n_onto_cells FROM
--     connections_with_nuclei
SELECT
    k.pre_pt_root_id,
    k.post_pt_root_id,
    k.n_syn,
    k.sum_size::DOUBLE AS sum_size, -- Summed cleft size of the pair's synapses, DOUBLE as CAVE gives it [voxel]
    pre.nucleus_id AS pre_nuc_id, -- Nucleus of the presynaptic segment, if it has exactly one
    post.nucleus_id AS post_nuc_id -- Nucleus of the postsynaptic segment, if it has exactly one
FROM connections AS k
LEFT JOIN _root_cells AS pre ON pre.pt_root_id = k.pre_pt_root_id
LEFT JOIN _root_cells AS post ON post.pt_root_id = k.post_pt_root_id
