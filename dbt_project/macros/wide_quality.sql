{#- Quality of a row made of several values: missing if none is there, suspect if one of them is. -#}
{% macro wide_quality() -%}
case
    when count(value) = 0 then 'missing'
    when bool_or(quality_code = 'suspect') then 'suspect'
    else 'good'
end as quality_code
{%- endmacro %}
