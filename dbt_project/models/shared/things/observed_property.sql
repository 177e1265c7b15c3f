with tenant as (
    select * from {{ ref('stg_tenant') }}
),

units as (
    select * from {{ ref('units') }}
),

final as (
    select
        tenant.tenant,
        properties.code as observed_property,
        properties.label_de,
        properties.label_en,
        properties.canonical_unit as unit,
        units.label as unit_label,
        units.qudt_unit,
        units.uncefact_unit,
        properties.quantity_kind,
        properties.smart_data_model_name,
        properties.valid_min,
        properties.valid_max,
        properties.max_change_per_hour,
        properties.flatline_hours,
        properties.flatline_above,
        properties.flatline_below,
        properties.aggregation
    from {{ ref('observed_properties') }} as properties
    cross join tenant
    left join units on properties.canonical_unit = units.code
)

select * from final
