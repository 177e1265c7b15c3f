{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as (
    select * from {{ source('records', 'parking_site') }}
),

final as (
    select
        source,
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
        coalesce(deleted, false) as is_deleted,
        received_at,
        revision,
        run_id
    from source
)

select * from final
