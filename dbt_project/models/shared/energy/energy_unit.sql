with merged as (
    {{ merged_descriptions('energy_unit', 'unit_id', has_shape=false) }}
),

nameless as (
    select
        * replace (
            {{ unless_person('name') }},
            {{ unless_person('operator') }},
            {{ unless_person('street') }},
            {{ unless_person('house_number') }},
            {{ unless_person('lon') }},
            {{ unless_person('lat') }}
        )
    from merged
),

final as (
    {{ with_last_seen('nameless', 'energy_unit', 'unit_id') }}
)

select * from final
