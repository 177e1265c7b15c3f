with history as (
    select * from {{ ref('parking_site_history') }}
),

final as (
    select
        tenant,
        site_key,
        id_space,
        site_id,
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
    from history
    where valid_to is null
)

select * from final
