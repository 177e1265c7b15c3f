with properties as (
    select
        code,
        wide_column
    from {{ ref('observed_properties') }}
    where wide_model = 'weather_observed'
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
            'temperature_cel',
            'relative_humidity_percent',
            'atmospheric_pressure_hpa',
            'atmospheric_pressure_msl_hpa',
            'precipitation_mm',
            'wind_speed_m_s',
            'gust_speed_m_s',
            'wind_direction_deg',
            'solar_radiation_w_m2',
            'sunshine_duration_min',
            'dew_point_cel',
            'snow_height_cm',
            'cloud_cover_percent',
            'visibility_m',
            'uv_index',
            'illuminance_lx',
        ]) }},
        {{ wide_quality() }},
        max(received_at) as received_at,
        {{ last_received(['source', 'run_id']) }}
    from ranked
    group by tenant, station_key, station_id, phenomenon_start_at, phenomenon_end_at, day
)

select * from final
