{#- A share from 0 to 1; null where a part or the whole is not known, or the whole is 0. -#}
{% macro ratio(part, whole) -%}
case
    when {{ whole }} > 0 and {{ part }} > {{ whole }} then 1
    when {{ whole }} > 0 then {{ part }} / {{ whole }}
end
{%- endmacro %}
