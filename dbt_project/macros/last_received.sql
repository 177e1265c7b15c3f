{#-
    Of the rows of a group, `columns` of the one that was received last; of several received at once those of the largest
    values, so that every run has the same.
-#}
{% macro last_received(columns, relation=none) -%}
{%- set of = relation ~ '.' if relation else '' -%}
{%- set members = ['received_at'] + columns -%}
{%- for column in columns -%}
struct_extract(
    max({ {%- for member in members %}'{{ member }}': {{ of }}{{ member }}{{ ', ' if not loop.last }}{% endfor -%} }),
    '{{ column }}'
) as {{ column }}{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#-
    Of the rows of each key the one that was received last; of several at once that of the first source by name.
-#}
{% macro rows_received_last(relation, key) -%}
select * from {{ relation }}
qualify
    row_number() over (
        partition by id_space, {{ key | join(', ') }}
        order by received_at desc, source asc
    ) = 1
{%- endmacro %}

{#-
    The value that most rows of a group have; of several that are as frequent the smallest, so that every run has the
    same.
-#}
{% macro most_frequent(value) -%}
list_min(
    list_transform(
        list_filter(
            map_entries(histogram({{ value }})),
            lambda entry: entry.value = list_max(map_values(histogram({{ value }})))
        ),
        lambda entry: entry.key
    )
)
{%- endmacro %}
