{#-
    One column per wide column of the seed `observed_properties`, from rows that carry `wide_column` and `value`.
-#}
{% macro pivot_properties(columns) -%}
{% for column in columns -%}
max(value) filter (where wide_column = '{{ column }}') as {{ column }}{{ ',\n' if not loop.last }}
{%- endfor %}
{%- endmacro %}

{#-
    The wide model of that name: one row per station and phenomenon time, with the columns that the seed
    `observed_properties` has for it.
-#}
{% macro wide_observations(model, columns) -%}
with properties as (
    select
        code,
        wide_column
    from {{ ref('observed_properties') }}
    where wide_model = '{{ model }}'
),

ranked as (
    {{ ranked_values(ref('observation'), 'properties') }}
)

select
    tenant,
    station_key,
    max(station_version) as station_version,
    station_id,
    phenomenon_start_at,
    phenomenon_end_at,
    day,
    {{ pivot_properties(columns) }},
    {{ wide_quality() }},
    max(received_at) as received_at,
    {{ last_received(['source', 'run_id']) }}
from ranked
group by tenant, station_key, station_id, phenomenon_start_at, phenomenon_end_at, day
{%- endmacro %}
