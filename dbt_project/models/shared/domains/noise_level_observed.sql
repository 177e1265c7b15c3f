with properties as (
    select
        code,
        wide_column
    from {{ ref('observed_properties') }}
    where wide_model = 'noise_level_observed'
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
            'laeq_dba',
            'lamax_dba',
            'las_dba',
            'laeq_day_dba',
        ]) }},
        {{ wide_quality() }},
        max(received_at) as received_at,
        {{ last_received(['source', 'run_id']) }}
    from ranked
    group by tenant, station_key, station_id, phenomenon_start_at, phenomenon_end_at, day
)

select * from final
