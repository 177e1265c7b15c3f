{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'datastream') }}
),

current_records as (
    {{ current_revision('source', ['source', 'datastream_id']) }}
),

final as (
    select
        source,
        datastream_id,
        station_id,
        name,
        description,
        observed_property as observed_property_native,
        unit as unit_native,
        sensor,
        interval_s,
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
