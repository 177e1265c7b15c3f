with source as not materialized (
    select * from {{ source('records', 'observation') }}
),

revised as (
    select
        source,
        datastream_id,
        phenomenon_start
    from source
    where revision > 1
    group by source, datastream_id, phenomenon_start
),

final as (
    select
        source.source,
        source.datastream_id,
        source.phenomenon_start as phenomenon_start_at,
        source.phenomenon_end as phenomenon_end_at,
        source.day,
        source.value as value_native,
        source.value_text,
        source.observed_property as observed_property_native,
        source.unit as unit_native,
        source.received_at,
        source.revision,
        source.run_id
    from source
    inner join revised
        on
            source.source = revised.source
            and source.datastream_id = revised.datastream_id
            and source.phenomenon_start = revised.phenomenon_start
)

select * from final
