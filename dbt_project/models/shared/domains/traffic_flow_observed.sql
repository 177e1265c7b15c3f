with properties as (
    select
        code,
        wide_column,
        aggregation
    from {{ ref('observed_properties') }}
    where wide_model = 'traffic_flow_observed'
),

totals as (
    select
        station_key,
        observed_property,
        datastream_key
    from {{ ref('datastream') }}
    where is_station_total
),

per_property as (
    select
        observed.tenant,
        observed.station_key,
        max(observed.station_version) as station_version,
        observed.station_id,
        observed.phenomenon_start_at,
        observed.phenomenon_end_at,
        observed.day,
        properties.wide_column,
        if(
            properties.aggregation = 'sum',
            sum({{ exact('observed.value') }})::double,
            avg({{ exact('observed.value') }})
        ) as value,
        case
            when not bool_and({{ is_valid('observed.quality_code') }}) then 'suspect'
            when bool_or(observed.quality_code = 'provisional') then 'provisional'
            else 'good'
        end as quality_code,
        count(observed.value) as datastream_count,
        max(observed.received_at) as received_at,
        {{ last_received(['source', 'run_id'], 'observed') }}
    from {{ ref('observation') }} as observed
    inner join properties on observed.observed_property = properties.code
    left join totals
        on
            observed.station_key = totals.station_key
            and observed.observed_property = totals.observed_property
    where
        observed.station_key is not null
        and (totals.datastream_key is null or observed.datastream_key = totals.datastream_key)
    group by
        observed.tenant,
        observed.station_key,
        observed.station_id,
        observed.phenomenon_start_at,
        observed.phenomenon_end_at,
        observed.day,
        properties.wide_column,
        properties.aggregation
),

final as (
    select
        tenant,
        station_key,
        max(station_version) as station_version,
        station_id,
        phenomenon_start_at,
        phenomenon_end_at,
        day,
        {{ pivot_properties([
            'vehicle_count',
            'bicycle_count',
            'pedestrian_count',
            'average_vehicle_speed_km_h',
            'occupancy_percent',
        ]) }},
        sum(datastream_count)::bigint as datastream_count,
        {{ wide_quality() }},
        max(received_at) as received_at,
        {{ last_received(['source', 'run_id']) }}
    from per_property
    group by tenant, station_key, station_id, phenomenon_start_at, phenomenon_end_at, day
)

select * from final
