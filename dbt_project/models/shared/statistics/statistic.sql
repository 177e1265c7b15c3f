with identified as (
    {{ identified(ref('stg_statistic')) }}
),

received_last as (
    {{ rows_received_last('identified', ['category', 'indicator_id', 'area_id', 'period_start']) }}
),

final as (
    select
        figures.tenant,
        figures.id_space,
        figures.category,
        figures.indicator_id,
        coalesce(figures.indicator, figures.indicator_id) as indicator,
        figures.area_id,
        figures.day,
        figures.day as period_start_on,
        cast(timezone(place.timezone, figures.period_end) - interval 1 second as date) as period_end_on,
        figures.value,
        figures.value_text,
        figures.unit as unit_native,
        figures.publisher,
        case
            when figures.value is null and figures.value_text is null then 'missing'
            else 'good'
        end as quality_code,
        figures.revision,
        figures.received_at,
        figures.source,
        figures.run_id
    from received_last as figures
    cross join {{ ref('stg_tenant') }} as place
)

select * from final
