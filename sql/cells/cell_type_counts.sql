-- How many cells there are of each class and type, by a rule on merged cells, one row per class and type.
--
-- rule := 'nucleus' counts nuclei that are alone on their segment (`is_single_soma` of `cells`), by the type that
-- `cells` gives them. Cells without a type have a row of their own. This is the right number.
--
-- The other two rules give the numbers of notebooks that use only the table of predicted types. rule := 'type_table'
-- drops every root id that occurs in it more than once (pandas' keep=False): 90,353 cells in version 1507, as published.
-- rule := 'type_table_first' keeps the first row of such a root (keep='first'): 91,422 cells in version 1300. The
-- published 91,423 of that version has one row more, that of root 0. Both rules miss cells that are merged with an
-- untyped cell, and both look cells up at the centroid of the nucleus.
--
-- The first row of a root is the one with the smallest annotation id here. In a notebook it is decided by chance, so
-- types can differ by a few while the total does not. Roots 0 and 1 are never counted here. A notebook that does not
-- drop them has one row more for each with keep='first'; with keep=False, only for one that occurs once.
-- macro: cell_type_counts(rule := 'nucleus')
-- grain: cell_class, cell_type
-- cite: elabbady2025, microns2025
-- questions: Q01, Q02
-- example: FROM cell_type_counts() ORDER BY n_cells DESC, cell_class, cell_type LIMIT 5
-- example: SELECT sum(n_cells)::BIGINT AS n FROM cell_type_counts(rule := 'type_table')
SELECT
    c.cell_class, -- excitatory, inhibitory, nonneuron; NULL without an answer
    c.cell_type, -- Cell type; NULL without an answer
    count(*) FILTER (WHERE c.is_counted) AS n_cells, -- Number of cells by the rule
    count(*) AS n_nuclei -- Number of all nuclei with this answer, merged ones and those without a segment too
FROM _counted_types AS c
WHERE c.rule = _one_of(rule, 'rule', ['nucleus', 'type_table', 'type_table_first'])
GROUP BY c.cell_class, c.cell_type
