-- A word of an argument if it is one of the allowed ones; any other, NULL too, raises a sentence that names the nearest.
-- macro: _one_of(word, what, allowed)
SELECT
    CASE
        WHEN list_contains(allowed, word) THEN word
        ELSE
            error(
                'there is no ' || what || ' named ' || coalesce(word::VARCHAR, 'NULL') || '; the nearest is '
                || list_reverse_sort(
                    list_transform(
                        allowed,
                        LAMBDA each: struct_pack(
                            alike := jaro_winkler_similarity(lower(each), lower(coalesce(word::VARCHAR, ''))), name := each
                        )
                    )
                )[1].name
                || ', all are ' || array_to_string(list_sort(allowed), ', ')
            )
    END AS _one_of -- The word
