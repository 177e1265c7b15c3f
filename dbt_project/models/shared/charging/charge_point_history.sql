with versions as (
    {{ versions(
        ref('stg_charge_point'),
        'charge_point_id',
        [
            'evse_id',
            'installation_id',
            'name',
            'operator',
            'points',
            'power_kw',
            'current_type',
            'current_type_native',
            'plug_types',
            'commissioned_on',
            'register_status',
            'register_status_native',
            'street',
            'house_number',
            'postcode',
            'city',
            'opening_hours',
            'payment',
        ]
    ) }}
),

seen as (
    {{ with_last_seen('versions', 'charge_point', 'charge_point_id') }}
),

final as (
    select
        tenant,
        {{ shared_key('charge_point_id') }} as charge_point_key,
        id_space,
        charge_point_id,
        version,
        valid_from,
        valid_to,
        {{ normal_evse_id('evse_id') }} as evse_id,
        installation_id,
        name,
        operator,
        points,
        power_kw,
        current_type,
        current_type_native,
        plug_types,
        commissioned_on,
        register_status,
        register_status_native,
        street,
        house_number,
        postcode,
        city,
        opening_hours,
        payment,
        lon,
        lat,
        received_at,
        source,
        run_id,
        last_seen_at
    from seen
)

select * from final
