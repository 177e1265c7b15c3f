with described as (
    {{ described(ref('stg_area_feature')) }}
),

merged as (
    select
        tenant,
        {{ shared_key('feature_id') }} as feature_key,
        id_space,
        feature_id,
        {{ latest('feature_class') }},
        {{ latest('name') }},
        {{ latest('description') }},
        {{ latest('valid_from', 'valid_from_on') }},
        {{ latest('valid_to', 'valid_to_on') }},
        {{ latest('attributes') }},
        {{ latest_position() }},
        {{ latest('geometry', 'geometry_wkb') }},
        max(received_at) as received_at,
        {{ latest('source') }},
        {{ latest('run_id') }}
    from described
    group by tenant, id_space, feature_id
),

final as (
    {{ with_last_seen('merged', 'area_feature', 'feature_id') }}
)

select * from final
