with history as (
    select * from {{ ref('station_history') }}
),

final as (
    select
        tenant,
        station_key,
        id_space,
        station_id,
        name,
        description,
        elevation_m,
        operator,
        lon,
        lat,
        received_at,
        source,
        run_id,
        last_seen_at
    from history
    where valid_to is null
)

select * from final
