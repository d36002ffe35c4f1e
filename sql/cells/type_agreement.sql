-- How experts, classifier and corrections agree on cell types: the number of nuclei for each combination of answers.
--
-- The tables are joined by nucleus, never by root id, because merged cells share one. Answers are compared in common
-- words (5P-PT is 5P-ET, "Unsure I" is no answer). A missing answer is NULL, and such rows are kept: they show how
-- much each table covers.
--
-- `cell_type_expert` exists for neurons and glia of the V1 column. The classifier was trained there, so agreement
-- there does not measure how good it is elsewhere. For shares, divide n_nuclei by its sum over one cell_type_expert.
-- grain: cell_type_expert, cell_type_by_soma, cell_type_corrected
-- requires: nucleus_detection_v0
-- warning: experts use some words that the classifier does not have (6P-U, WM-P): there they can never agree
-- cite: elabbady2025, schneidermizell2025
-- questions: Q05, Q13
-- example: SELECT cell_type_expert, cell_type_by_soma, n_nuclei, is_same_type FROM type_agreement WHERE NOT is_same_type
--     ORDER BY n_nuclei DESC, cell_type_expert, cell_type_by_soma LIMIT 3
WITH answers AS (
    SELECT
        coalesce(_type_word(c.cell_type_nonneuronal), _type_word(c.cell_type_manual)) AS cell_type_expert,
        _type_word(c.cell_type_by_soma) AS cell_type_by_soma,
        _type_word(c.cell_type_corrected) AS cell_type_corrected,
        c.is_single_soma
    FROM cells AS c
)

SELECT
    a.cell_type_expert, -- Expert's answer in the V1 column, for glia and neurons; NULL without one
    a.cell_type_by_soma, -- Answer of the classifier by soma and nucleus; NULL without one
    a.cell_type_corrected, -- Correction by hand to the classifier's answer; NULL without one
    count(*) AS n_nuclei, -- Number of nuclei with these answers
    count(*) FILTER (WHERE a.is_single_soma) AS n_single_soma, -- Number of them that are alone on their segment
    a.cell_type_expert = a.cell_type_by_soma AS is_same_type, -- Whether expert and classifier agree; NULL where one has no answer
    a.cell_type_corrected <> a.cell_type_by_soma AS is_changed -- Whether the correction differs from it; NULL where one has no answer
FROM answers AS a
WHERE a.cell_type_expert IS NOT NULL OR a.cell_type_by_soma IS NOT NULL OR a.cell_type_corrected IS NOT NULL
GROUP BY a.cell_type_expert, a.cell_type_by_soma, a.cell_type_corrected
