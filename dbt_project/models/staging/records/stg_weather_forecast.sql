{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'weather_forecast') }}
),

current_records as (
    {{ current_revision('source', ['source', 'station_id', 'valid_at']) }}
),

final as (
    select
        source,
        station_id,
        valid_at,
        issued_at,
        name,
        temperature_cel,
        dew_point_cel,
        pressure_msl_hpa,
        precipitation_mm,
        precipitation_probability_percent,
        wind_speed_m_s,
        gust_speed_m_s,
        wind_direction_deg,
        cloud_cover_percent,
        sunshine_duration_min,
        global_radiation_w_m2,
        visibility_m,
        weather_code,
        lon,
        lat,
        day,
        received_at,
        revision,
        payload,
        run_id
    from current_records
)

select * from final
