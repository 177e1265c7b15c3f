with tenant as (
    select * from {{ ref('stg_tenant') }}
),

sources as (
    select * from {{ ref('stg_source') }}
),

described as (
    select
        stations.*,
        tenant.tenant,
        coalesce(sources.id_space, stations.source) as id_space,
        row_number() over (order by stations.received_at, stations.source) as precedence
    from {{ ref('stg_sharing_station') }} as stations
    cross join tenant
    left join sources on stations.source = sources.source
),

final as (
    select
        tenant,
        {{ shared_key('station_id') }} as station_key,
        id_space,
        station_id,
        {{ latest('name') }},
        {{ latest('address') }},
        {{ latest('capacity') }},
        {{ latest('is_virtual') }},
        {{ latest_position() }},
        max(received_at) as received_at,
        {{ latest('source') }},
        {{ latest('run_id') }}
    from described
    group by tenant, id_space, station_id
)

select * from final
