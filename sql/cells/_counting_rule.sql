-- A rule of cell_type_counts; an error that names the rules for any other word.
-- macro: _counting_rule(word)
SELECT
    CASE
        WHEN word IN ('nucleus', 'type_table', 'type_table_first') THEN word
        ELSE error(concat('rule must be nucleus, type_table or type_table_first, not ', coalesce(word, 'NULL')))
    END AS _counting_rule -- The word itself
