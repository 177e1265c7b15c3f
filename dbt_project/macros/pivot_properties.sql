{#-
    One column per wide column of the seed `observed_properties`, from rows that carry `wide_column` and `value`.

    `aggregate` is the function that makes one value of several.
-#}
{% macro pivot_properties(columns, aggregate='max') -%}
    {% for column in columns -%}
        {{ aggregate }}(value) filter (where wide_column = '{{ column }}') as {{ column }}
        {{- ',\n    ' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
