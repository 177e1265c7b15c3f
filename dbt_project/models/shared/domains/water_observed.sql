with properties as (
    select
        code,
        wide_column
    from {{ ref('observed_properties') }}
    where wide_model = 'water_observed'
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
            'level_cm',
            'discharge_m3_s',
            'temperature_cel',
            'flow_velocity_m_s',
            'ph',
            'conductivity_us_cm',
            'dissolved_oxygen_mg_l',
            'turbidity_ntu',
            'nitrate_mg_l',
            'groundwater_level_m',
        ]) }},
        {{ wide_quality() }},
        max(received_at) as received_at,
        {{ last_received(['source', 'run_id']) }}
    from ranked
    group by tenant, station_key, station_id, phenomenon_start_at, phenomenon_end_at, day
)

select * from final
