with source as (
    select * from {{ source('records', 'tenant') }}
),

final as (
    select
        tenant,
        name,
        ags,
        timezone
    from source
)

select * from final
