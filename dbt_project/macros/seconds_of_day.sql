{#- Real length of a calendar day in a time zone: 23, 24 or 25 hours. -#}
{% macro seconds_of_day(day, timezone) -%}
(
    epoch(timezone({{ timezone }}, ({{ day }} + 1)::timestamp))
    - epoch(timezone({{ timezone }}, {{ day }}::timestamp))
)
{%- endmacro %}
