-- The paths from one cell to another along connections that may be interpreted, one row per path, shortest first.
--
-- Takes root ids or nucleus ids, one or a list on either side. A path leads from `a` to `b` over at most `max_hops`
-- connections, never twice through the same cell. Each connection is an output of a proofread axon with at least
-- `min_syn` synapses. Each cell on the path, both ends too, is alone on its segment, because merged cells would be
-- short cuts that do not exist. If the axon of `a` was not proofread, the question has no answer.
--
-- Only cells with a proofread axon can be on the way, so paths are a sample: if none is found, there may still be one.
-- The number of paths grows some tenfold with each hop, and `max_hops` is at most 5. For motifs of more cells, take
-- `connections_proofread` to networkx or DotMotif.
-- grain: pt_root_ids
-- scope: all, proofread, neurons
-- requires: synapses_pni_2, nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
-- macro: paths_between(a, b, max_hops := 2, min_syn := 1)
-- example: SELECT n_hops, nucleus_ids, n_syn_by_hop, min_n_syn FROM paths_between(424569, 287566, max_hops := 3) LIMIT 4
-- warning: a path through partially extended axons exists; that no path is found says nothing
-- cite: microns2025, turner2022
-- questions: Q37
WITH RECURSIVE starts AS MATERIALIZED (
    SELECT
        CASE
            WHEN r.n_nuclei <> 1
                THEN error(r.root || ' holds ' || r.n_nuclei || ' nuclei; a path leads from a single cell to a single cell')
            WHEN r.axon_proofread THEN r.root
            ELSE error('the axon of ' || r.root || ' was not proofread, so that it is not known where it leads; see `proofreading`')
        END AS root
    FROM _roots(a) AS r
    WHERE _given(min_syn, 'min_syn') IS NOT NULL
),

targets AS MATERIALIZED (
    SELECT
        CASE
            WHEN r.n_nuclei = 1 THEN r.root
            ELSE error(r.root || ' holds ' || r.n_nuclei || ' nuclei; a path leads from a single cell to a single cell')
        END AS root
    FROM _roots(b) AS r
),

goals AS (
    SELECT list_sort(list(t.root)) AS roots FROM targets AS t
),

receivers AS (
    SELECT x.pt_root_id AS root FROM _proofread_axons AS x
    UNION
    SELECT y.root FROM targets AS y
),

edges AS MATERIALIZED (
    SELECT
        k.pre_pt_root_id AS pre,
        k.post_pt_root_id AS post,
        k.n_syn
    FROM _cell_connections AS k
    JOIN receivers AS q ON q.root = k.post_pt_root_id
    WHERE k.pre_strategy_axon IS NOT NULL AND k.n_syn >= min_syn
),

-- A walk knows its goals, and both its ends are compared in the end: asked for each row of a table, DuckDB 1.5 walks for
-- all rows at once and gives each of them every walk.
walks AS (
    SELECT
        [s.root] AS roots,
        [k.n_syn][:0] AS n_syn,
        s.root AS last,
        g.roots AS goals,
        FALSE AS has_arrived
    FROM starts AS s
    CROSS JOIN goals AS g
    LEFT JOIN edges AS k ON FALSE
    UNION
    SELECT
        list_append(w.roots, e.post),
        list_append(w.n_syn, e.n_syn),
        e.post,
        w.goals,
        list_contains(w.goals, e.post)
    FROM walks AS w
    JOIN edges AS e ON e.pre = w.last
    WHERE
        NOT w.has_arrived
        AND len(w.roots) <= CASE
            WHEN max_hops BETWEEN 1 AND 5 THEN max_hops
            ELSE error('max_hops goes from 1 to 5, not ' || coalesce(max_hops::VARCHAR, 'NULL'))
        END
        AND NOT list_contains(w.roots, e.post)
        AND (len(w.roots) < max_hops OR list_contains(w.goals, e.post))
),

found AS (
    SELECT
        w.roots,
        w.n_syn
    FROM walks AS w
    JOIN starts AS s ON s.root = w.roots[1]
    JOIN goals AS g ON g.roots = w.goals
    WHERE w.has_arrived
)

SELECT
    len(f.n_syn) AS n_hops, -- Number of connections on the path
    f.roots AS pt_root_ids, -- The segments on the path, from `a` to `b`
    cells.nucleus_ids, -- The cells on the path, from `a` to `b`
    cells.cell_types, -- Their types, by the precedence of `cells`
    f.n_syn AS n_syn_by_hop, -- Number of synapses of each connection on the path
    list_min(f.n_syn) AS min_n_syn -- Number of synapses of the weakest connection on the path
FROM found AS f
JOIN (
    SELECT
        g.roots,
        list(c.nucleus_id ORDER BY g.place) AS nucleus_ids,
        list(c.cell_type ORDER BY g.place) AS cell_types
    FROM (
        SELECT
            h.roots,
            unnest(h.roots) AS root,
            generate_subscripts(h.roots, 1) AS place
        FROM found AS h
    ) AS g
    LEFT JOIN _root_cells AS c ON c.pt_root_id = g.root
    GROUP BY g.roots
) AS cells ON cells.roots = f.roots
ORDER BY n_hops ASC, min_n_syn DESC, pt_root_ids ASC
