-- The synapses onto one or several segments, one row per cleft.
--
-- Takes root ids or nucleus ids: a number, a text, a list, or `(SELECT list(...) FROM ...)`. Dendrites need no
-- proofreading for their inputs to be counted, measured and placed; who they come from is only known where the
-- presynaptic axon was proofread (see `input_partners`). Nothing is left out: autapses are flagged (`is_autapse`), and a
-- presynaptic root of 0 or 1 means that the side lies in no segment. Asking for the root of merged cells gives the
-- inputs of all of them together.
--
-- Fast: one file is opened for one id. Pass many ids as one list rather than asking id by id.
-- grain: id
-- requires: synapses_pni_2
-- scope: all, cells
-- macro: input_synapses(ids)
-- example: SELECT count(*) AS n_syn, median(size) AS median_size FROM input_synapses(287566)
-- cite: microns2025, turner2022
-- questions: Q20, Q25
WITH dendrites AS (
    SELECT
        _in_scope_inputs(r.root, r.is_complete) AS root,
        unnest(_buckets_onto(r.root)) AS b
    FROM _roots(ids) AS r
)

SELECT s.* EXCLUDE (b)
FROM _synapses_by_post AS s
JOIN dendrites AS d ON d.b = s.b AND d.root = s.post_pt_root_id
WHERE _is_live(s.pre_pt_root_id, s.id, s.b)
