{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'sharing_status') }}
),

current_records as (
    {{ current_revision('source', ['source', 'station_id', 'observed_at']) }}
),

final as (
    select
        source,
        station_id,
        observed_at,
        vehicles_available,
        vehicles_disabled,
        docks_available,
        docks_disabled,
        is_installed,
        is_renting,
        is_returning,
        day,
        received_at,
        revision,
        payload,
        run_id
    from current_records
)

select * from final
