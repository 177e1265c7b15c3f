with tenant as (
    select * from {{ ref('stg_tenant') }}
),

sources as (
    select * from {{ ref('stg_source') }}
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
        *,
        {{ shared_key('datastream_id') }} as datastream_key,
        {{ shared_key('station_id') }} as station_key
    from merged
)

select * from final
