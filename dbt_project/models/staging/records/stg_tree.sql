{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'tree') }}
),

current_records as (
    {{ current_revision('source', ['source', 'tree_id']) }}
),

final as (
    select
        source,
        tree_id,
        tree_number,
        species,
        species_common,
        genus,
        cultivar,
        planted_year,
        height_m,
        height_class,
        crown_diameter_m,
        crown_diameter_class,
        trunk_circumference_cm,
        trunk_circumference_class,
        trunk_diameter_cm,
        trunk_diameter_class,
        stems,
        location_type,
        location_type_native,
        street,
        house_number,
        district,
        operator,
        felled_on,
        attributes,
        lon,
        lat,
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
