-- The believed class of each nucleus, one row per nucleus with an answer.
-- grain: nucleus_id
SELECT
    nucleus_id, -- The cell
    arg_min(cell_class, (rank, -id)) FILTER (
        WHERE cell_class IS NOT NULL
    ) AS cell_class, -- excitatory, inhibitory or nonneuron; first answer of: corrections, experts, spines, soma (cell_class_source)
    arg_min(source, (rank, -id)) FILTER (
        WHERE cell_class IS NOT NULL
    ) AS cell_class_source, -- The table that cell_class comes from
    max_by(answer, id) FILTER (WHERE rank = 1) AS class_corrected, -- Class as corrected by hand, verbatim
    max_by(answer, id) FILTER (WHERE rank IN (2, 3)) AS class_manual, -- Class given by experts in the V1 column, verbatim
    max_by(answer, id) FILTER (WHERE rank = 4) AS class_by_spines, -- Class predicted from spines and shape, verbatim
    max_by(answer, id) FILTER (WHERE rank = 5) AS class_by_soma -- Class predicted from soma and nucleus, verbatim
FROM _class_answers
GROUP BY nucleus_id
