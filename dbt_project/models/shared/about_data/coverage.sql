with tenant as (
    select * from {{ ref('stg_tenant') }}
),

series as (
    select * from {{ ref('int_observation_series') }}
),

counted as (
    select
        series.tenant,
        series.datastream_key,
        series.station_key,
        records.datastream_id,
        records.day,
        count(*) as record_count,
        count(*) filter (
            where
            series.problem is null
            and records.value_native is not null
        ) as value_count,
        count(*) filter (
            where
            series.problem is null
            and records.value_native is not null
            and records.time_flag = 'fold_summed'
        ) as summed_count,
        count(*) filter (
            where series.problem is null and records.value_native is null and records.value_text is null
        ) as withdrawn_count,
        count(*) filter (where series.problem is not null) as unmapped_count,
        coalesce(
            max(series.interval_s),
            {{ most_frequent(
                'nullif((epoch_us(records.phenomenon_end_at) - epoch_us(records.phenomenon_start_at)) // 1000000, 0)'
            ) }}
        ) as interval_s,
        max(records.received_at) as received_at,
        records.source,
        {{ last_received(['run_id'], 'records') }}
    from {{ ref('stg_observation') }} as records
    inner join series
        on {{ same_series('records', 'series') }}
    group by
        series.tenant,
        series.datastream_key,
        series.station_key,
        records.datastream_id,
        records.source,
        records.day
),

days as (
    select
        counted.day,
        max({{ seconds_of_day('counted.day', 'tenant.timezone') }}) as seconds
    from counted
    cross join tenant
    group by counted.day
),

expected as (
    select
        counted.*,
        nullif(round(days.seconds / counted.interval_s), 0)::bigint as expected_count
    from counted
    inner join days on counted.day = days.day
),

final as (
    select
        tenant,
        datastream_key,
        station_key,
        datastream_id,
        day,
        record_count,
        value_count,
        withdrawn_count,
        unmapped_count,
        interval_s,
        expected_count,
        {{ ratio('(value_count + summed_count)', 'expected_count') }} as coverage_ratio,
        received_at,
        source,
        run_id
    from expected
)

select * from final
