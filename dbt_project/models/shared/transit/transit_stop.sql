with merged as (
    {{ merged_descriptions('transit_stop', 'stop_id', has_shape=false) }}
),

final as (
    {{ with_last_seen('merged', 'transit_stop', 'stop_id') }}
)

select * from final
