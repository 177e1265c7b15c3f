with source as (
    select * from {{ source('records', 'affected_day') }}
),

final as (
    select day
    from source
    group by day
)

select * from final
