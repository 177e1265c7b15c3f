with source as (
    select * from {{ source('records', 'tenant') }}
),

final as (
    select
        tenant,
        name,
        ags,
        timezone,
        west,
        south,
        east,
        north
    from source
)

select * from final
