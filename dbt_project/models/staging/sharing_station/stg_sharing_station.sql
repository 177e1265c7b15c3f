with source as (
    select * from {{ source('records', 'sharing_station') }}
),

current_records as (
    {{ current_revision('source', ['source', 'station_id']) }}
),

final as (
    select
        source,
        station_id,
        name,
        address,
        capacity,
        is_virtual,
        lon,
        lat,
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
