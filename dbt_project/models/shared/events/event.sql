with described as (
    {{ described(ref('stg_event')) }}
),

merged as (
    select
        tenant,
        {{ shared_key('event_id') }} as event_key,
        id_space,
        event_id,
        {{ latest('event_type') }},
        {{ latest('event_type_native') }},
        {{ latest('title') }},
        {{ latest('description') }},
        {{ latest('start_at') }},
        {{ latest('end_at') }},
        {{ latest('severity') }},
        {{ latest('severity_native') }},
        {{ latest('status') }},
        {{ latest('status_native') }},
        {{ latest('place_name') }},
        {{ latest('website') }},
        {{ latest('changed_at') }},
        {{ latest_position() }},
        {{ latest('geometry', 'geometry_wkb') }},
        max(received_at) as received_at,
        {{ latest('source') }},
        {{ latest('run_id') }}
    from described
    group by tenant, id_space, event_id
),

final as (
    {{ with_last_seen('merged', 'event', 'event_id') }}
)

select * from final
