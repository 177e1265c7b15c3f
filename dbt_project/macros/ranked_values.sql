{#-
    Observations of the given properties at a station, one per station, time and property.

    Where a station measures a property with several datastreams, the value of the best quality counts, then the
    smallest datastream id. Only such stations are ranked: ranking everything would sort everything.
-#}
{% macro ranked_values(observations, properties) -%}
select
    observed.*,
    {{ properties }}.wide_column
from {{ observations }} as observed
inner join {{ properties }} on observed.observed_property = {{ properties }}.code
left join (
    select
        candidates.datastream_key,
        candidates.phenomenon_start_at
    from {{ observations }} as candidates
    inner join {{ properties }} on candidates.observed_property = {{ properties }}.code
    inner join (
        select
            station_key,
            observed_property
        from {{ observations }}
        where station_key is not null
        group by station_key, observed_property
        having min(datastream_key) <> max(datastream_key)
    ) as several
        on
            candidates.station_key = several.station_key
            and candidates.observed_property = several.observed_property
    qualify
        row_number() over (
            partition by
                candidates.station_key,
                candidates.phenomenon_start_at,
                candidates.phenomenon_end_at,
                candidates.observed_property
            order by
                candidates.value is null,
                {{ quality_rank('candidates.quality_code') }},
                candidates.datastream_id,
                candidates.datastream_key
        ) > 1
) as outranked
    on
        observed.datastream_key = outranked.datastream_key
        and observed.phenomenon_start_at = outranked.phenomenon_start_at
where
    observed.station_key is not null
    and outranked.datastream_key is null
{%- endmacro %}
