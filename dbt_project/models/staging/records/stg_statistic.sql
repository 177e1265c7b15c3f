{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'statistic') }}
),

current_records as (
    {{ current_revision('source', ['source', 'category', 'indicator_id', 'area_id', 'period_start']) }}
),

final as (
    select
        source,
        indicator_id,
        area_id,
        period_start,
        period_end,
        category,
        indicator,
        value,
        value_text,
        unit,
        publisher,
        day,
        received_at,
        revision,
        payload,
        run_id
    from current_records
)

select * from final
