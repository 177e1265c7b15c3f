{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as (
    select * from {{ source('records', 'station') }}
),

final as (
    select
        source,
        station_id,
        name,
        description,
        lon,
        lat,
        elevation_m,
        operator,
        coalesce(deleted, false) as is_deleted,
        received_at,
        revision,
        run_id
    from source
)

select * from final
