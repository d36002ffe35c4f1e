-- A cell type in common words. The column table's 5P-PT is the 5P-ET of all other tables. "Unsure" (also "Unsure E",
-- "Unsure I") and "error", in any letter case, are no types.
-- macro: _type_word(answer)
SELECT
    CASE
        WHEN answer = '5P-PT' THEN '5P-ET'
        WHEN lower(answer) NOT IN ('unsure', 'unsure e', 'unsure i', 'error') THEN answer
    END AS _type_word -- Cell type, NULL where the answer is none
