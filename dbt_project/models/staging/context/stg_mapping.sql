with source as (
    select * from {{ source('records', 'mapping') }}
),

final as (
    select
        kind,
        {{ spelling('native') }} as spelling,
        code
    from source
)

select * from final
