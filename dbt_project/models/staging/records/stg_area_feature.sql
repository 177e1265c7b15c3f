{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'area_feature') }}
),

current_records as (
    {{ current_revision('source', ['source', 'feature_id']) }}
),

final as (
    select
        source,
        feature_id,
        feature_class,
        name,
        description,
        valid_from,
        valid_to,
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
