{{ config(materialized='table') }}

with limited as (
    select distinct observed_property
    from {{ ref('limit_values') }}
    where averaging = 'running_8_hours'
),

hours as (
    select
        hourly.datastream_key,
        hourly.hour_start_at,
        hourly.value,
        hourly.day
    from {{ ref('observation_hourly') }} as hourly
    inner join limited on hourly.observed_property = limited.observed_property
    where coalesce(hourly.is_representative, true) and hourly.value is not null
),

series as (
    select series.*
    from {{ ref('int_observation_series') }} as series
    inner join limited on series.observed_property = limited.observed_property
    where series.problem is null
),

before as (
    select
        series.datastream_key,
        {{ hour_of('records.phenomenon_start_at') }} as hour_start_at,
        {{ convert_unit('records.value_native', 'series') }} as value,
        coalesce(
            series.interval_s,
            nullif(epoch(records.phenomenon_end_at) - epoch(records.phenomenon_start_at), 0)
        ) as interval_s
    from {{ ref('stg_observation_before') }} as records
    inner join series
        on {{ same_series('records', 'series') }}
    left join {{ ref('int_observation_quality') }} as quality
        on
            records.source = quality.source
            and series.datastream_key = quality.datastream_key
            and records.phenomenon_start_at = quality.phenomenon_start_at
    where
        records.value_native is not null
        and {{ is_valid("coalesce(quality.quality_code, 'good')") }}
    qualify
        row_number() over (
            partition by series.datastream_key, records.phenomenon_start_at
            order by records.received_at desc, records.source asc
        ) = 1
),

hours_before as (
    select
        datastream_key,
        hour_start_at,
        avg({{ exact('value') }}) as value,
        null::date as day
    from before
    group by datastream_key, hour_start_at
    having coalesce(count(*) >= 0.75 * 3600 / max(interval_s), true)
),

all_hours as (
    select * from hours
    union all
    select * from hours_before
),

averaged as (
    select
        datastream_key,
        day,
        avg({{ exact('value') }}) over eight_hours as value,
        count(*) over eight_hours as hour_count
    from all_hours
    window eight_hours as (
        partition by datastream_key
        order by hour_start_at
        range between interval 7 hours preceding and current row
    )
),

final as (
    select
        datastream_key,
        day,
        max(value) as value,
        count(*) as mean_count
    from averaged
    where day is not null and hour_count >= 6
    group by datastream_key, day
)

select * from final
