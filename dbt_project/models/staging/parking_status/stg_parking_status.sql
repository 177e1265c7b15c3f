with source as not materialized (
    select * from {{ source('records', 'parking_status') }}
),

current_records as (
    {{ current_revision('source', ['source', 'site_id', 'observed_at']) }}
),

final as (
    select
        source,
        site_id,
        observed_at,
        day,
        free,
        occupied,
        capacity,
        opening_status,
        opening_status_native,
        received_at,
        revision,
        payload,
        run_id
    from current_records
)

select * from final
