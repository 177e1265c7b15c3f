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

seen as (
    {{ with_last_seen('versions', 'station', 'station_id') }}
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
        run_id,
        last_seen_at
    from seen
)

select * from final
