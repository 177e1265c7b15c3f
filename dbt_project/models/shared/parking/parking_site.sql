with described as (
    {{ described(ref('stg_parking_site')) }}
),

final as (
    select
        tenant,
        {{ shared_key('site_id') }} as site_key,
        id_space,
        site_id,
        {{ latest('name') }},
        {{ latest('purpose') }},
        {{ latest('site_type') }},
        {{ latest('site_type_native') }},
        {{ latest('capacity') }},
        {{ latest('capacity_disabled') }},
        {{ latest('max_height_cm') }},
        {{ latest('has_fee') }},
        {{ latest('is_park_and_ride') }},
        {{ latest('address') }},
        {{ latest('operator') }},
        {{ latest('opening_hours') }},
        {{ latest_position() }},
        max(received_at) as received_at,
        {{ latest('source') }},
        {{ latest('run_id') }}
    from described
    group by tenant, id_space, site_id
)

select * from final
