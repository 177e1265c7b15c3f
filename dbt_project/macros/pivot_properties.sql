{#-
    One column per wide column of the seed `observed_properties`, from rows that carry `wide_column` and `value`.
-#}
{% macro pivot_properties(columns) -%}
{% for column in columns -%}
max(value) filter (where wide_column = '{{ column }}') as {{ column }}{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}
