{#- A native spelling without regard to case and spaces; an empty one is null. -#}
{% macro spelling(column) -%}
nullif(lower(replace(replace({{ column }}, ' ', ''), chr(160), '')), '')
{%- endmacro %}
