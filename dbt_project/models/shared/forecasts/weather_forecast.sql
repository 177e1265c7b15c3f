with identified as (
    {{ identified(ref('stg_weather_forecast')) }}
),

received_last as (
    {{ rows_received_last('identified', ['station_id', 'valid_at']) }}
),

final as (
    select
        tenant,
        {{ shared_key('station_id') }} as place_key,
        id_space,
        station_id,
        valid_at,
        day,
        issued_at,
        name,
        lon,
        lat,
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
        revision,
        received_at,
        source,
        run_id
    from received_last
)

select * from final
