{#- A native value in the canonical unit of its property; `conversion` carries factor and shift. -#}
{% macro convert_unit(value, conversion) -%}
{{ value }} * {{ conversion }}.factor + {{ conversion }}.shift
{%- endmacro %}
