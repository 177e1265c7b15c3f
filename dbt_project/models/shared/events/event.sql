with merged as (
    {{ merged_descriptions('event', 'event_id') }}
),

final as (
    {{ with_last_seen('merged', 'event', 'event_id') }}
)

select * from final
