{#- A native spelling without regard to case, spaces and how umlauts are written; an empty one is null. -#}
{% macro spelling(column) -%}
nullif(
    replace(
        replace(
            replace(
                replace(lower(replace(replace({{ column }}, ' ', ''), chr(160), '')), 'ä', 'ae'), 'ö', 'oe'
            ),
            'ü', 'ue'
        ),
        'ß', 'ss'
    ),
    ''
)
{%- endmacro %}
