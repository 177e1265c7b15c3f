with source as not materialized (
    select * from {{ source('records', 'observation_before') }}
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
        value as value_native,
        observed_property as observed_property_native,
        unit as unit_native,
        quality_native,
        received_at
    from current_records
)

select * from final
