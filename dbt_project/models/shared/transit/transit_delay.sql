with identified as (
    {{ identified(ref('stg_transit_delay')) }}
),

received_last as (
    {{ rows_received_last('identified', ['trip_id', 'day', 'stop_call']) }}
),

final as (
    select
        tenant,
        {{ shared_key('trip_id') }} as trip_key,
        {{ shared_key('stop_id') }} as stop_key,
        {{ shared_key('route_id') }} as route_key,
        trip_id,
        day,
        stop_call,
        route_id,
        stop_id,
        stop_sequence,
        status,
        arrival_delay_s,
        departure_delay_s,
        arrival_at,
        departure_at,
        revision,
        received_at,
        source,
        run_id
    from received_last
)

select * from final
