with identified as (
    {{ identified(ref('stg_sharing_status')) }}
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
