with history as (
    select * from {{ ref('charge_point_history') }}
),

final as (
    select
        tenant,
        charge_point_key,
        id_space,
        charge_point_id,
        evse_id,
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
    from history
    where valid_to is null
)

select * from final
