{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'transit_route') }}
),

current_records as (
    {{ current_revision('source', ['source', 'route_id']) }}
),

final as (
    select
        source,
        route_id,
        short_name,
        long_name,
        description,
        mode,
        mode_native,
        operator,
        color,
        text_color,
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
