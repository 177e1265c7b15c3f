{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'transit_stop') }}
),

current_records as (
    {{ current_revision('source', ['source', 'stop_id']) }}
),

final as (
    select
        source,
        stop_id,
        name,
        code,
        description,
        platform,
        stop_type,
        parent_stop_id,
        is_wheelchair_accessible,
        fare_zone,
        lon,
        lat,
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
