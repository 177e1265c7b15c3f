with source as (
    select * from {{ source('records', 'station') }}
),

current_records as (
    {{ current_revision('source', ['source', 'station_id']) }}
),

final as (
    select
        source,
        station_id,
        name,
        description,
        lon,
        lat,
        elevation_m,
        operator,
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
