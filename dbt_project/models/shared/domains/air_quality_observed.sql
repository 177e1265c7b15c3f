with properties as (
    select
        code,
        wide_column
    from {{ ref('observed_properties') }}
    where wide_model = 'air_quality_observed'
),

ranked as (
    {{ ranked_values(ref('observation'), 'properties') }}
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
            'no2_ug_m3',
            'no_ug_m3',
            'nox_ug_m3',
            'o3_ug_m3',
            'so2_ug_m3',
            'pm10_ug_m3',
            'pm2_5_ug_m3',
            'pm1_ug_m3',
            'co_mg_m3',
            'co2_ppm',
            'nh3_ug_m3',
            'c6h6_ug_m3',
        ]) }},
        {{ wide_quality() }},
        max(received_at) as received_at,
        {{ last_received(['source', 'run_id']) }}
    from ranked
    group by tenant, station_key, station_id, phenomenon_start_at, phenomenon_end_at, day
)

select * from final
