{#- Written by `make models` from civitas_assets/records; change it there. -#}
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
        status,
        status_native,
        points_available,
        day,
        received_at,
        revision,
        payload,
        run_id
    from current_records
)

select * from final
