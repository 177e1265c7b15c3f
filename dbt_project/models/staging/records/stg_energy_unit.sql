{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'energy_unit') }}
),

current_records as (
    {{ current_revision('source', ['source', 'unit_id']) }}
),

final as (
    select
        source,
        unit_id,
        name,
        operator,
        operator_type,
        energy_carrier,
        energy_carrier_native,
        technology,
        siting,
        gross_power_kw,
        net_power_kw,
        storage_kwh,
        modules,
        status,
        status_native,
        registered_on,
        planned_on,
        commissioned_on,
        decommissioned_on,
        feed_in,
        is_checked,
        municipality_id,
        street,
        house_number,
        postcode,
        city,
        changed_at,
        lon,
        lat,
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
