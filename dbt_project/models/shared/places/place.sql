with merged as (
    {{ merged_descriptions('place', 'place_id') }}
),

final as (
    {{ with_last_seen('merged', 'place', 'place_id') }}
)

select * from final
