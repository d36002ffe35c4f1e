-- The synapses from any of some segments onto any of others, one row per cleft.
--
-- Takes two lists of root ids or nucleus ids. Autapses are among them where an id is in both lists (`is_autapse`); count
-- pairs with `connection_matrix`, which leaves them out and keeps the pairs without a synapse.
-- grain: id
-- requires: synapses_pni_2
-- macro: synapses_between(pre_ids, post_ids)
-- example: FROM synapses_between(424569, (SELECT list(pt_root_id) FROM neurons WHERE cell_type = '4P')) ORDER BY id
-- warning: outputs of axons that were not proofread are not to be interpreted
-- cite: microns2025, turner2022
-- questions: Q30
SELECT s.*
FROM _synapses_from(pre_ids) AS s
JOIN (
    SELECT _in_scope(r.root, r.n_nuclei, TRUE, TRUE) AS root FROM _roots(post_ids) AS r
) AS d ON d.root = s.post_pt_root_id
