{#- When an observation is of a series: same source, datastream, and spelling of property and unit. -#}
{% macro same_series(observation, series) -%}
{{ observation }}.source = {{ series }}.source
and {{ observation }}.datastream_id = {{ series }}.datastream_id
and {{ observation }}.observed_property_native is not distinct from {{ series }}.own_property
and {{ observation }}.unit_native is not distinct from {{ series }}.own_unit
{%- endmacro %}
