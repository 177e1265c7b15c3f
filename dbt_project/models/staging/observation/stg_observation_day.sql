with source as (
    select * from {{ source('records', 'observation') }}
),

final as (
    select
        source,
        datastream_id,
        observed_property as own_property,
        day
    from source
    group by all
)

select * from final
