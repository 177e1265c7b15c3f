{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'transit_service') }}
),

current_records as (
    {{ current_revision('source', ['source', 'stop_id', 'route_id', 'service_start']) }}
),

final as (
    select
        source,
        stop_id,
        route_id,
        service_start,
        departures,
        first_departure_at,
        last_departure_at,
        timetable,
        day,
        received_at,
        revision,
        payload,
        run_id
    from current_records
)

select * from final
