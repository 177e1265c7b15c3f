{#- Written by `make models` from civitas_assets/records; change it there. -#}
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
        free,
        occupied,
        capacity,
        opening_status,
        opening_status_native,
        day,
        received_at,
        revision,
        payload,
        run_id
    from current_records
)

select * from final
