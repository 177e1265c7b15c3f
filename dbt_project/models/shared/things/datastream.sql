with datastreams as (
    select * from {{ ref('int_datastream') }}
),

property_spellings as (
    select * from {{ ref('int_observed_property_spelling') }}
),

properties as (
    select * from {{ ref('observed_properties') }}
),

known as (
    select
        datastreams.tenant,
        datastreams.datastream_key,
        datastreams.station_key,
        datastreams.id_space,
        datastreams.datastream_id,
        datastreams.station_id,
        datastreams.name,
        datastreams.description,
        properties.code as observed_property,
        datastreams.observed_property_native,
        properties.canonical_unit as unit,
        datastreams.unit_native,
        datastreams.sensor,
        datastreams.interval_s,
        coalesce(datastreams.datastream_id = datastreams.station_id, false) as is_station_total,
        datastreams.received_at,
        datastreams.source,
        datastreams.run_id
    from datastreams
    left join property_spellings
        on {{ spelling('datastreams.observed_property_native') }} = property_spellings.spelling
    left join properties on property_spellings.observed_property = properties.code
),

final as (
    {{ with_last_seen('known', 'datastream', 'datastream_id') }}
)

select * from final
