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
        day,
        period_end,
        category,
        indicator,
        value,
        value_text,
        unit,
        publisher,
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
