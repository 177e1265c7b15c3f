{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'transit_delay') }}
),

current_records as (
    {{ current_revision('source', ['source', 'trip_id', 'service_start', 'stop_call']) }}
),

final as (
    select
        source,
        trip_id,
        service_start,
        stop_call,
        route_id,
        stop_id,
        stop_sequence,
        status,
        arrival_delay_s,
        departure_delay_s,
        arrival_at,
        departure_at,
        day,
        received_at,
        revision,
        payload,
        run_id
    from current_records
)

select * from final
