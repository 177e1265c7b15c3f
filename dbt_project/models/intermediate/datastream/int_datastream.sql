with merged as (
    {{ merged_descriptions('datastream', 'datastream_id', is_placed=false) }}
),

final as (
    select
        *,
        {{ shared_key('station_id') }} as station_key
    from merged
)

select * from final
