with described as (
    {{ described(ref('stg_sharing_station')) }}
),

final as (
    select
        tenant,
        {{ shared_key('station_id') }} as station_key,
        id_space,
        station_id,
        {{ latest('name') }},
        {{ latest('address') }},
        {{ latest('capacity') }},
        {{ latest('is_virtual') }},
        {{ latest_position() }},
        max(received_at) as received_at,
        {{ latest('source') }},
        {{ latest('run_id') }}
    from described
    group by tenant, id_space, station_id
)

select * from final
