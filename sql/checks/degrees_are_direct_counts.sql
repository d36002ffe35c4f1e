-- Degrees are what a direct count in the table of synapses gives; others would mean stored rows of another table, or a
-- join that multiplied synapses.
-- scope: all
-- requires: synapses_pni_2, nucleus_detection_v0
WITH partners AS (
    SELECT DISTINCT
        s.pre_pt_root_id,
        s.post_pt_root_id
    FROM synapses_pni_2 AS s
    SEMI JOIN _root_nuclei AS r ON r.pt_root_id = s.post_pt_root_id
    WHERE s.pre_pt_root_id <> s.post_pt_root_id AND s.pre_pt_root_id NOT IN (0, 1)
),

segments AS (
    SELECT
        p.post_pt_root_id AS pt_root_id,
        count(*) AS n
    FROM partners AS p
    GROUP BY p.post_pt_root_id
),

received AS (
    SELECT
        s.post_pt_root_id AS pt_root_id,
        count(*) AS n
    FROM synapses_pni_2 AS s
    WHERE s.pre_pt_root_id <> s.post_pt_root_id AND s.pre_pt_root_id NOT IN (0, 1)
    GROUP BY s.post_pt_root_id
),

sent AS (
    SELECT
        s.pre_pt_root_id AS pt_root_id,
        count(*) AS n
    FROM synapses_pni_2 AS s
    WHERE s.pre_pt_root_id <> s.post_pt_root_id AND s.post_pt_root_id NOT IN (0, 1)
    GROUP BY s.pre_pt_root_id
)

SELECT
    d.pt_root_id,
    d.n_input_syn,
    coalesce(i.n, 0) AS n_in_direct,
    d.n_pre_segments,
    coalesce(g.n, 0) AS n_pre_segments_direct,
    d.n_output_syn,
    coalesce(o.n, 0) AS n_out_direct
FROM in_out_degree AS d
LEFT JOIN received AS i ON i.pt_root_id = d.pt_root_id
LEFT JOIN segments AS g ON g.pt_root_id = d.pt_root_id
LEFT JOIN sent AS o ON o.pt_root_id = d.pt_root_id
WHERE d.n_input_syn <> coalesce(i.n, 0) OR d.n_pre_segments <> coalesce(g.n, 0) OR d.n_output_syn <> coalesce(o.n, 0)
