-- The believed morphological type of each nucleus, one row per nucleus with an answer.
-- grain: nucleus_id
SELECT
    nucleus_id, -- The cell
    arg_min(mtype, (rank, -id)) FILTER (
        WHERE mtype IS NOT NULL
    ) AS mtype, -- Morphological type (L2a, PTC, ...), a scheme of its own; first answer of: corrections, experts, soma
    arg_min(source, (rank, -id)) FILTER (
        WHERE mtype IS NOT NULL
    ) AS mtype_source, -- The table that mtype comes from
    max_by(answer, id) FILTER (WHERE rank = 1) AS mtype_corrected, -- Morphological type as corrected by hand, verbatim
    max_by(answer, id) FILTER (WHERE rank = 2) AS mtype_manual, -- Morphological type from full dendrites in the V1 column, verbatim
    max_by(answer, id) FILTER (WHERE rank = 3) AS mtype_by_soma -- Morphological type predicted from soma and nucleus, verbatim
FROM _mtype_answers
GROUP BY nucleus_id
