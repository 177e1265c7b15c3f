{{ config(materialized='table') }}

with series as (
    select * from {{ ref('int_observation_series') }}
    where problem is null
),

published as (
    select
        series.tenant,
        series.datastream_key,
        series.station_key,
        records.datastream_id,
        series.station_id,
        series.observed_property,
        records.phenomenon_start_at,
        records.phenomenon_end_at,
        records.day,
        records.revision,
        {{ convert_unit('records.value_native', 'series') }} as value,
        series.unit,
        records.value_text,
        records.received_at,
        records.source,
        records.run_id
    from {{ ref('stg_observation_revision') }} as records
    inner join series
        on {{ same_series('records', 'series') }}
),

compared as (
    select
        *,
        lag(revision) over revisions as previous_revision,
        lag(value) over revisions as previous_value,
        lag(value_text) over revisions as previous_value_text,
        lag(received_at) over revisions as previous_received_at
    from published
    window revisions as (partition by source, datastream_key, phenomenon_start_at order by revision)
),

final as (
    select *
    from compared
    where
        previous_revision is not null
        and (value is distinct from previous_value or value_text is distinct from previous_value_text)
)

select * from final
