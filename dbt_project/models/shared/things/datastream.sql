with tenant as (
    select * from {{ ref('stg_tenant') }}
),

sources as (
    select * from {{ ref('stg_source') }}
),

property_spellings as (
    select * from {{ ref('int_observed_property_spelling') }}
),

properties as (
    select * from {{ ref('observed_properties') }}
),

described as (
    select
        datastreams.*,
        tenant.tenant,
        coalesce(sources.id_space, datastreams.source) as id_space,
        row_number() over (order by datastreams.received_at, datastreams.source) as precedence
    from {{ ref('stg_datastream') }} as datastreams
    cross join tenant
    left join sources on datastreams.source = sources.source
),

merged as (
    select
        tenant,
        id_space,
        datastream_id,
        {{ latest('station_id') }},
        {{ latest('name') }},
        {{ latest('description') }},
        {{ latest('observed_property_native') }},
        {{ latest('unit_native') }},
        {{ latest('sensor') }},
        {{ latest('interval_s') }},
        max(received_at) as received_at,
        {{ latest('source') }},
        {{ latest('run_id') }}
    from described
    group by tenant, id_space, datastream_id
),

final as (
    select
        merged.tenant,
        {{ shared_key('datastream_id', 'merged') }} as datastream_key,
        {{ shared_key('station_id', 'merged') }} as station_key,
        merged.id_space,
        merged.datastream_id,
        merged.station_id,
        merged.name,
        merged.description,
        properties.code as observed_property,
        merged.observed_property_native,
        properties.canonical_unit as unit,
        merged.unit_native,
        merged.sensor,
        merged.interval_s,
        coalesce(merged.datastream_id = merged.station_id, false) as is_station_total,
        merged.received_at,
        merged.source,
        merged.run_id
    from merged
    left join property_spellings
        on {{ spelling('merged.observed_property_native') }} = property_spellings.spelling
    left join properties on property_spellings.observed_property = properties.code
)

select * from final
