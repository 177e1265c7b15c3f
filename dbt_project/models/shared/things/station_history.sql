with versions as (
    {{ versions(
        ref('stg_station'),
        'station_id',
        [
            'name',
            'description',
            'elevation_m',
            'operator',
        ]
    ) }}
),

final as (
    select
        tenant,
        {{ shared_key('station_id') }} as station_key,
        id_space,
        station_id,
        version,
        valid_from,
        valid_to,
        name,
        description,
        elevation_m,
        operator,
        lon,
        lat,
        received_at,
        source,
        run_id
    from versions
)

select * from final
