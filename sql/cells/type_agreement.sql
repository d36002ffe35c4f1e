-- How experts, classifier and corrections agree on cell types: the number of nuclei for each combination of answers.
--
-- The tables are joined by nucleus, never by root id, because merged cells share one. Answers are compared in common
-- words (5P-PT is 5P-ET, "Unsure I" is no answer). A missing answer is NULL, and such rows are kept: they show how
-- much each table covers.
--
-- `expert_type` exists for neurons and glia of the V1 column. The classifier was trained there, so agreement there
-- does not measure how good it is elsewhere. For shares, divide n_nuclei by its sum over one expert_type.
-- grain: expert_type, classifier_type, corrected_type
-- requires: nucleus_detection_v0
-- warning: experts use some words that the classifier does not have (6P-U, WM-P): there they can never agree
-- cite: elabbady2025, schneidermizell2025
-- questions: Q05, Q13
-- example: SELECT expert_type, classifier_type, n_nuclei, agrees FROM type_agreement WHERE NOT agrees
--     ORDER BY n_nuclei DESC, expert_type, classifier_type LIMIT 3
WITH answers AS (
    SELECT
        coalesce(_type_word(c.cell_type_nonneuronal), _type_word(c.cell_type_manual)) AS expert_type,
        _type_word(c.cell_type_by_soma) AS classifier_type,
        _type_word(c.cell_type_corrected) AS corrected_type,
        c.is_single_soma
    FROM cells AS c
)

SELECT
    a.expert_type, -- Expert's answer in the V1 column, for glia and neurons; NULL without one
    a.classifier_type, -- Answer of the classifier by soma and nucleus; NULL without one
    a.corrected_type, -- Correction by hand to the classifier's answer; NULL without one
    count(*) AS n_nuclei, -- Number of nuclei with these answers
    count(*) FILTER (WHERE a.is_single_soma) AS n_single_soma, -- Number of them that are alone on their segment
    a.expert_type = a.classifier_type AS agrees, -- Whether expert and classifier agree; NULL where one has no answer
    a.corrected_type <> a.classifier_type AS is_changed -- Whether the correction differs from the classifier; NULL where one has no answer
FROM answers AS a
WHERE a.expert_type IS NOT NULL OR a.classifier_type IS NOT NULL OR a.corrected_type IS NOT NULL
GROUP BY a.expert_type, a.classifier_type, a.corrected_type
