with identified as (
    {{ identified(ref('stg_transit_service')) }}
),

/*
    A source tells a day again as a whole when anything of it changes. What carries another digest than what
    it told last is of an older timetable, and no longer planned.
*/
planned as (
    select *
    from identified
    qualify
        timetable is not distinct from first_value(timetable) over (
            partition by source, day
            order by received_at desc, timetable asc
        )
),

served as (
    select * from planned
    where departures > 0
),

received_last as (
    {{ rows_received_last('served', ['stop_id', 'route_id', 'day']) }}
),

final as (
    select
        tenant,
        {{ shared_key('stop_id') }} as stop_key,
        {{ shared_key('route_id') }} as route_key,
        stop_id,
        route_id,
        day,
        departures,
        first_departure_at,
        last_departure_at,
        revision,
        received_at,
        source,
        run_id
    from received_last
)

select * from final
