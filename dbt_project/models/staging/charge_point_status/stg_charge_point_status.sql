with source as not materialized (
    select * from {{ source('records', 'charge_point_status') }}
),

current_records as (
    {{ current_revision('source', ['source', 'charge_point_id', 'observed_at']) }}
),

final as (
    select
        source,
        charge_point_id,
        observed_at,
        day,
        status,
        status_native,
        points_available,
        received_at,
        revision,
        payload,
        run_id
    from current_records
)

select * from final
