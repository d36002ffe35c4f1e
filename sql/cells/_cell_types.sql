-- The believed type of each nucleus, one row per nucleus with an answer.
-- grain: nucleus_id
SELECT
    nucleus_id, -- The cell
    arg_min(cell_type, (rank, -id)) FILTER (
        WHERE cell_type IS NOT NULL
    ) AS cell_type, -- Type; first answer of: corrections, experts, soma (cell_type_source); 5P-PT reads 5P-ET, unsure is no answer
    arg_min(source, (rank, -id)) FILTER (
        WHERE cell_type IS NOT NULL
    ) AS cell_type_source, -- The table that cell_type comes from
    max_by(answer, id) FILTER (WHERE rank = 1) AS cell_type_corrected, -- Type as corrected by hand, verbatim
    max_by(answer, id) FILTER (WHERE rank = 2) AS cell_type_nonneuronal, -- Expert type of non-neuronal cells of the V1 column, verbatim
    max_by(answer, id) FILTER (WHERE rank = 3) AS cell_type_manual, -- Expert type of neurons of the V1 column, verbatim
    max_by(answer, id) FILTER (WHERE rank = 4) AS cell_type_by_soma -- Type predicted from soma and nucleus, verbatim
FROM _type_answers
GROUP BY nucleus_id
