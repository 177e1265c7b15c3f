{#-
    Observations of the given properties at a station, one per station, time and property.

    Where a station measures a property with several datastreams, the value of the best quality counts, then the
    smallest datastream id. Only such stations are ranked, and by numbers: sorting everything, and by texts, would take
    several times as long.
-#}
{% macro ranked_values(observations, properties) -%}
with datastreams as (
    select distinct
        observed.station_key,
        observed.observed_property,
        observed.datastream_key,
        observed.datastream_id
    from {{ observations }} as observed
    inner join {{ properties }} on observed.observed_property = {{ properties }}.code
    where observed.station_key is not null
),

rivals as (
    select
        datastream_key,
        observed_property,
        dense_rank() over (order by station_key, observed_property)::integer as contest,
        row_number() over (order by datastream_id, datastream_key)::bigint as place
    from datastreams
    qualify count(*) over (partition by station_key, observed_property) > 1
),

winners as (
    select
        rivals.contest,
        candidates.phenomenon_start_at,
        candidates.phenomenon_end_at,
        -- What counts more has the higher digits.
        min(
            (if(candidates.value is null, 8, 0) + {{ quality_rank('candidates.quality_code') }})::bigint * 4294967296
            + rivals.place
        ) % 4294967296 as place
    from {{ observations }} as candidates
    inner join rivals
        on
            candidates.datastream_key = rivals.datastream_key
            and candidates.observed_property = rivals.observed_property
    group by rivals.contest, candidates.phenomenon_start_at, candidates.phenomenon_end_at
)

select
    observed.*,
    {{ properties }}.wide_column
from {{ observations }} as observed
inner join {{ properties }} on observed.observed_property = {{ properties }}.code
left join rivals
    on
        observed.datastream_key = rivals.datastream_key
        and observed.observed_property = rivals.observed_property
left join winners
    on
        rivals.contest = winners.contest
        and observed.phenomenon_start_at = winners.phenomenon_start_at
        and observed.phenomenon_end_at is not distinct from winners.phenomenon_end_at
where
    observed.station_key is not null
    and (rivals.place is null or rivals.place = winners.place)
{%- endmacro %}
