with source as (
    select * from {{ source('records', 'charge_point') }}
),

current_records as (
    {{ current_revision('source', ['source', 'charge_point_id']) }}
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
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
