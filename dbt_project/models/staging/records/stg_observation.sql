{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'observation') }}
),

current_records as (
    {{ current_revision('source', ['source', 'datastream_id', 'phenomenon_start']) }}
),

final as (
    select
        source,
        datastream_id,
        phenomenon_start as phenomenon_start_at,
        phenomenon_end as phenomenon_end_at,
        time_flag,
        result_time as result_at,
        value as value_native,
        value_text,
        value_flag,
        observed_property as observed_property_native,
        unit as unit_native,
        quality_native,
        day,
        received_at,
        revision,
        payload,
        run_id
    from current_records
)

select * from final
