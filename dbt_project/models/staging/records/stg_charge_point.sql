{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as (
    select * from {{ source('records', 'charge_point') }}
),

final as (
    select
        source,
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
        coalesce(deleted, false) as is_deleted,
        received_at,
        revision,
        run_id
    from source
)

select * from final
