{#-
    For entities that several sources describe: the latest value that is not null.

    The rows must carry `precedence`, a number that grows with the time of receipt.
-#}
{% macro latest(column, name=none) -%}
arg_max({{ column }}, precedence) as {{ name or column }}
{%- endmacro %}

{#- The position as a pair: longitude and latitude never come from different descriptions. -#}
{% macro latest_position() -%}
arg_max(lon, precedence) filter (where lat is not null) as lon,
arg_max(lat, precedence) filter (where lon is not null) as lat
{%- endmacro %}
