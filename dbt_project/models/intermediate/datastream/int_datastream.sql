with described as (
    {{ described(ref('stg_datastream')) }}
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
