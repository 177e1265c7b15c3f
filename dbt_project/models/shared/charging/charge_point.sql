with described as (
    {{ described(ref('stg_charge_point')) }}
),

final as (
    select
        tenant,
        {{ shared_key('charge_point_id') }} as charge_point_key,
        id_space,
        charge_point_id,
        {{ normal_evse_id('arg_max(evse_id, precedence)') }} as evse_id,
        {{ latest('installation_id') }},
        {{ latest('name') }},
        {{ latest('operator') }},
        {{ latest('points') }},
        {{ latest('power_kw') }},
        {{ latest('current_type') }},
        {{ latest('current_type_native') }},
        {{ latest('plug_types') }},
        {{ latest('commissioned_on') }},
        {{ latest('register_status') }},
        {{ latest('register_status_native') }},
        {{ latest('street') }},
        {{ latest('house_number') }},
        {{ latest('postcode') }},
        {{ latest('city') }},
        {{ latest('opening_hours') }},
        {{ latest('payment') }},
        {{ latest_position() }},
        max(received_at) as received_at,
        {{ latest('source') }},
        {{ latest('run_id') }}
    from described
    group by tenant, id_space, charge_point_id
)

select * from final
