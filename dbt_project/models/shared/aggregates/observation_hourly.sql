with observed as (
    select
        *,
        {{ hour_of('phenomenon_start_at') }} as hour_start_at
    from {{ ref('observation') }}
),

intervals as (
    {{ series_intervals() }}
),

properties as (
    select
        code,
        aggregation
    from {{ ref('observed_properties') }}
),

final as (
    select
        observed.tenant,
        observed.datastream_key,
        observed.station_key,
        observed.observed_property,
        observed.hour_start_at,
        observed.day,
        {{ aggregated('observed', 'properties') }},
        min(observed.value) filter (where {{ is_valid('observed.quality_code') }}) as minimum,
        max(observed.value) filter (where {{ is_valid('observed.quality_code') }}) as maximum,
        observed.unit,
        count(observed.value) filter (where {{ is_valid('observed.quality_code') }}) as valid_count,
        count(observed.value) filter (where not {{ is_valid('observed.quality_code') }}) as suspect_count,
        (3600 // max(intervals.interval_s))::bigint as expected_count,
        {{ is_representative('3600 / max(intervals.interval_s)') }},
        max(observed.received_at) as received_at,
        {{ last_received(['source', 'run_id'], 'observed') }}
    from observed
    inner join properties on observed.observed_property = properties.code
    left join intervals
        on
            observed.datastream_key = intervals.datastream_key
            and observed.day = intervals.day
    where
        observed.value is not null
        and coalesce({{ is_within('observed.phenomenon_end_at', 'observed.hour_start_at', 3600) }}, true)
    group by
        observed.tenant,
        observed.datastream_key,
        observed.station_key,
        observed.observed_property,
        observed.hour_start_at,
        observed.day,
        observed.unit,
        properties.aggregation
)

select * from final
