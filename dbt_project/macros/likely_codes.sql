{#-
    The three codes whose spellings are most like a native one, as text; null where none is.

    Alike are words that differ in a few letters, and names in which a known spelling is a part. `known` has the columns
    `spelling` and `code_column`.
-#}
{% macro likely_codes(native, known, code_column) -%}
(
    select string_agg(code, ' or ' order by likeness desc, code)
    from (
        select
            {{ code_column }} as code,
            max(
                greatest(
                    jaro_winkler_similarity({{ native }}, spelling),
                    if(
                        length(spelling) > 3 and contains({{ native }}, spelling),
                        0.8 + 0.2 * length(spelling) / length({{ native }}),
                        0
                    )
                )
            ) as likeness
        from {{ known }}
        group by code
        having likeness >= 0.8
        order by likeness desc, code
        limit 3
    )
)
{%- endmacro %}
