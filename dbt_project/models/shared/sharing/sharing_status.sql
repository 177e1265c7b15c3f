with tenant as (
    select * from {{ ref('stg_tenant') }}
),

sources as (
    select * from {{ ref('stg_source') }}
),

identified as (
    select
        records.*,
        tenant.tenant,
        coalesce(sources.id_space, records.source) as id_space
    from {{ ref('stg_sharing_status') }} as records
    cross join tenant
    left join sources on records.source = sources.source
),

received_last as (
    select * from identified
    qualify
        row_number() over (
            partition by id_space, station_id, observed_at
            order by received_at desc, source asc
        ) = 1
),

final as (
    select
        tenant,
        {{ shared_key('station_id') }} as station_key,
        station_id,
        observed_at,
        day,
        vehicles_available,
        vehicles_disabled,
        docks_available,
        docks_disabled,
        is_installed,
        is_renting,
        is_returning,
        revision,
        received_at,
        source,
        run_id
    from received_last
)

select * from final
