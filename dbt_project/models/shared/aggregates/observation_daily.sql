with observed as (
    select * from {{ ref('observation') }}
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

days as (
    select
        affected.day,
        {{ seconds_of_day('affected.day', 'tenant.timezone') }} as seconds
    from {{ ref('stg_affected_day') }} as affected
    cross join {{ ref('stg_tenant') }} as tenant
),

final as (
    select
        observed.tenant,
        observed.datastream_key,
        observed.station_key,
        observed.observed_property,
        observed.day,
        {{ aggregated('observed', 'properties') }},
        min(observed.value) filter (where {{ is_valid('observed.quality_code') }}) as minimum,
        max(observed.value) filter (where {{ is_valid('observed.quality_code') }}) as maximum,
        observed.unit,
        count(observed.value) filter (where {{ is_valid('observed.quality_code') }}) as valid_count,
        count(observed.value) filter (where not {{ is_valid('observed.quality_code') }}) as suspect_count,
        round(max(days.seconds / intervals.interval_s))::bigint as expected_count,
        {{ is_representative('max(days.seconds / intervals.interval_s)') }},
        max(observed.received_at) as received_at,
        {{ last_received(['source', 'run_id'], 'observed') }}
    from observed
    inner join properties on observed.observed_property = properties.code
    inner join days on observed.day = days.day
    left join intervals
        on
            observed.datastream_key = intervals.datastream_key
            and observed.day = intervals.day
    where observed.value is not null
    group by
        observed.tenant,
        observed.datastream_key,
        observed.station_key,
        observed.observed_property,
        observed.day,
        observed.unit,
        properties.aggregation
)

select * from final
