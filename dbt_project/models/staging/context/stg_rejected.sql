with source as (
    select * from {{ source('records', 'rejected') }}
),

final as (
    select
        source,
        record_type,
        rule,
        field,
        detail,
        day,
        received_at,
        run_id
    from source
)

select * from final
