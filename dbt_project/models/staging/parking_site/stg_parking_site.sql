with source as (
    select * from {{ source('records', 'parking_site') }}
),

current_records as (
    {{ current_revision('source', ['source', 'site_id']) }}
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
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
