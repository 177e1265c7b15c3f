with merged as (
    {{ merged_descriptions('tree', 'tree_id', has_shape=false) }}
),

final as (
    {{ with_last_seen('merged', 'tree', 'tree_id') }}
)

select * from final
