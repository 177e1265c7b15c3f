with versions as (
    {{ versions(
        ref('stg_parking_site'),
        'site_id',
        [
            'name',
            'purpose',
            'site_type',
            'site_type_native',
            'capacity',
            'capacity_disabled',
            'max_height_cm',
            'has_fee',
            'is_park_and_ride',
            'address',
            'operator',
            'opening_hours',
        ]
    ) }}
),

seen as (
    {{ with_last_seen('versions', 'parking_site', 'site_id') }}
),

final as (
    select
        tenant,
        {{ shared_key('site_id') }} as site_key,
        id_space,
        site_id,
        version,
        valid_from,
        valid_to,
        name,
        purpose,
        site_type,
        site_type_native,
        capacity,
        capacity_disabled,
        max_height_cm,
        has_fee,
        is_park_and_ride,
        address,
        operator,
        opening_hours,
        lon,
        lat,
        received_at,
        source,
        run_id,
        last_seen_at
    from seen
)

select * from final
