with described as (
    {{ described(ref('stg_station')) }}
),

final as (
    select
        tenant,
        {{ shared_key('station_id') }} as station_key,
        id_space,
        station_id,
        {{ latest('name') }},
        {{ latest('description') }},
        {{ latest_position() }},
        {{ latest('elevation_m') }},
        {{ latest('operator') }},
        max(received_at) as received_at,
        {{ latest('source') }},
        {{ latest('run_id') }}
    from described
    group by tenant, id_space, station_id
)

select * from final
