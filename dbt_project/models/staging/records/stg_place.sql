{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'place') }}
),

current_records as (
    {{ current_revision('source', ['source', 'place_id']) }}
),

final as (
    select
        source,
        place_id,
        category,
        name,
        description,
        address,
        postcode,
        city,
        operator,
        opening_hours,
        website,
        attributes,
        lon,
        lat,
        geometry,
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
