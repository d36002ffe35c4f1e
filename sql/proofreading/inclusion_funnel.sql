-- How many cells remain after each condition of a study of outputs, one row per condition.
--
-- Each condition is added to those before it, in the usual order: assessed, axon proofread, dendrite proofread, not
-- edited since (`is_current`), one nucleus on the segment, known to be excitatory or inhibitory. This view is the
-- paragraph "which cells were included" of a paper. For other conditions or another order, filter `proofreading` and
-- `cells`. The dendrite matters only if a study also uses inputs to the same cell, or its shape.
-- Without a table of classes, what needs it is NULL.
-- grain: step_number
-- requires: nucleus_detection_v0, proofreading_status_and_strategy or proofreading_status_public_release
-- warning: all columns but n_remaining_fully_extended pool strategies; never pool strategies in a probability
-- cite: microns2025, schneidermizell2025
-- questions: Q15, Q17
-- example: FROM inclusion_funnel ORDER BY step_number
WITH passed AS (
    SELECT
        p.strategy_axon,
        c.cell_class,
        CASE
            WHEN p.pt_root_id IS NULL THEN 1
            WHEN (p.status_axon AND p.strategy_axon <> 'none') IS NOT TRUE THEN 2
            WHEN p.status_dendrite IS NOT TRUE THEN 3
            WHEN p.is_current IS NOT TRUE THEN 4
            WHEN c.nucleus_id IS NULL THEN 5
            WHEN coalesce(c.cell_class, '') NOT IN ('excitatory', 'inhibitory') THEN 6
            ELSE 7
        END AS n_passed
    FROM _assessments AS a
    LEFT JOIN
        _proofreading AS p
        ON p.proofreading_id = a.proofreading_id AND p.proofreading_source = a.proofreading_source
    LEFT JOIN cells AS c ON c.pt_root_id = p.pt_root_id AND c.is_single_soma
),

steps AS (
    SELECT *
    FROM (
        VALUES
        (1, 'assessments in the table'),
        (2, 'segments that were assessed (the best assessment of each; not roots 0 and 1)'),
        (3, 'axon proofread'),
        (4, 'dendrite proofread'),
        (5, 'not edited since the assessment'),
        (6, 'exactly one nucleus on the segment'),
        (7, 'excitatory or inhibitory')
    ) AS s (step_number, step)
),

counted AS (
    SELECT
        s.step_number,
        s.step,
        CASE WHEN s.step_number < 7 OR _has_classes() THEN count(p.n_passed) END AS n_remaining,
        CASE
            WHEN _has_classes() THEN count(*) FILTER (WHERE p.cell_class = 'excitatory')
        END AS n_remaining_excitatory,
        CASE
            WHEN _has_classes() THEN count(*) FILTER (WHERE p.cell_class = 'inhibitory')
        END AS n_remaining_inhibitory,
        CASE
            WHEN s.step_number < 7 OR _has_classes() THEN count(*) FILTER (WHERE p.strategy_axon = 'axon_fully_extended')
        END AS n_remaining_fully_extended
    FROM steps AS s
    LEFT JOIN passed AS p ON p.n_passed >= s.step_number
    GROUP BY s.step_number, s.step
)

SELECT
    k.step_number::BIGINT AS step_number, -- Order of the conditions, from 1
    k.step, -- The condition
    k.n_remaining, -- Number of rows that meet this condition and all before it
    CASE
        WHEN k.step_number = 1 THEN 0
        ELSE lag(k.n_remaining) OVER (ORDER BY k.step_number) - k.n_remaining
    END AS n_excluded, -- Number of rows that this condition drops
    k.n_remaining_excitatory, -- Number of the remaining that are excitatory single-soma cells
    k.n_remaining_inhibitory, -- Number of the remaining that are inhibitory single-soma cells
    k.n_remaining_fully_extended -- Number of the remaining whose axon is fully extended, near complete
FROM counted AS k
