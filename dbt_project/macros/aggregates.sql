{#- Seconds between two values of each series on each day, as coverage has found them. -#}
{% macro series_intervals() -%}
select
    datastream_key,
    day,
    max(interval_s) as interval_s
from {{ ref('coverage') }}
group by datastream_key, day
{%- endmacro %}

{#-
    A number with nine decimals. Sums and means of such numbers are the same whatever order a run adds them in, which those
    of binary fractions are not; null beyond 29 digits before the point.
-#}
{% macro exact(value) -%}
try_cast({{ value }} as decimal(38, 9))
{%- endmacro %}

{#- What valid values of one property make together: their sum, their mean, or nothing that has a meaning. -#}
{% macro aggregated(observed, properties) -%}
case {{ properties }}.aggregation
    when 'sum' then sum({{ exact(observed ~ '.value') }}) filter (where {{ is_valid(observed ~ '.quality_code') }})::double
    when 'mean' then avg({{ exact(observed ~ '.value') }}) filter (where {{ is_valid(observed ~ '.quality_code') }})
end as value
{%- endmacro %}

{#-
    Whether valid values are there for three quarters of the time, as 2008/50/EC asks for aggregates; null where nobody
    knows how many there should be.
-#}
{% macro is_representative(expected) -%}
count(observed.value) filter (where {{ is_valid('observed.quality_code') }}) >= 0.75 * {{ expected }} as is_representative
{%- endmacro %}
