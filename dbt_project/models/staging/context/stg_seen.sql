with source as (
    select * from {{ source('records', 'seen') }}
),

final as (
    select
        source,
        record_type,
        id,
        last_seen_at
    from source
)

select * from final
