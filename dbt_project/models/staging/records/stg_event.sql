{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'event') }}
),

current_records as (
    {{ current_revision('source', ['source', 'event_id']) }}
),

final as (
    select
        source,
        event_id,
        event_type,
        event_type_native,
        title,
        description,
        start_at,
        end_at,
        severity,
        severity_native,
        status,
        status_native,
        place_name,
        website,
        changed_at,
        lon,
        lat,
        geometry,
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
