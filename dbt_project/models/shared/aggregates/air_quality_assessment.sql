with limits as (
    select * from {{ ref('limit_values') }}
),

daily as (
    select * from {{ ref('observation_daily') }}
),

days as (
    select
        affected.day,
        {{ seconds_of_day('affected.day', 'tenant.timezone') }} / 3600 as hours
    from {{ ref('stg_affected_day') }} as affected
    cross join {{ ref('stg_tenant') }} as tenant
),

highest_hour as (
    select
        datastream_key,
        day,
        max(value) as value,
        count(*) as hour_count
    from {{ ref('observation_hourly') }}
    where coalesce(is_representative, true) and value is not null
    group by datastream_key, day
),

averages as (
    select
        datastream_key,
        day,
        'day' as averaging,
        value,
        is_representative
    from daily
    where value is not null
    union all
    select
        highest_hour.datastream_key,
        highest_hour.day,
        'hour' as averaging,
        highest_hour.value,
        highest_hour.hour_count >= 0.75 * days.hours as is_representative
    from highest_hour
    inner join days on highest_hour.day = days.day
    union all
    select
        running.datastream_key,
        running.day,
        'running_8_hours' as averaging,
        running.value,
        running.mean_count >= 0.75 * days.hours as is_representative
    from {{ ref('int_running_mean') }} as running
    inner join days on running.day = days.day
),

final as (
    select
        daily.tenant,
        daily.datastream_key,
        daily.station_key,
        daily.observed_property,
        daily.day,
        limits.code as limit_code,
        limits.directive,
        limits.kind,
        limits.averaging,
        averages.value,
        limits.limit_value,
        limits.unit,
        -- In the numeric accuracy of the limit (IPR guidance on 2011/850/EU, part 1, page 10). That halves
        -- are rounded up is our reading.
        round({{ exact('averages.value * power(10, limits.decimals)') }})
        > {{ exact('limits.limit_value * power(10, limits.decimals)') }} as is_exceeded,
        averages.is_representative,
        daily.day >= limits.applies_from_on as is_in_force,
        daily.received_at,
        daily.source,
        daily.run_id
    from daily
    inner join limits on daily.observed_property = limits.observed_property
    inner join averages
        on
            daily.datastream_key = averages.datastream_key
            and daily.day = averages.day
            and limits.averaging = averages.averaging
)

select * from final
