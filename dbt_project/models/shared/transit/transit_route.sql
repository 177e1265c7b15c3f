with merged as (
    {{ merged_descriptions('transit_route', 'route_id', is_placed=false) }}
),

final as (
    {{ with_last_seen('merged', 'transit_route', 'route_id') }}
)

select * from final
