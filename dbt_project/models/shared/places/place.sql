with described as (
    {{ described(ref('stg_place')) }}
),

merged as (
    select
        tenant,
        {{ shared_key('place_id') }} as place_key,
        id_space,
        place_id,
        {{ latest('category') }},
        {{ latest('name') }},
        {{ latest('description') }},
        {{ latest('address') }},
        {{ latest('postcode') }},
        {{ latest('city') }},
        {{ latest('operator') }},
        {{ latest('opening_hours') }},
        {{ latest('website') }},
        {{ latest('attributes') }},
        {{ latest_position() }},
        {{ latest('geometry', 'geometry_wkb') }},
        max(received_at) as received_at,
        {{ latest('source') }},
        {{ latest('run_id') }}
    from described
    group by tenant, id_space, place_id
),

final as (
    {{ with_last_seen('merged', 'place', 'place_id') }}
)

select * from final
