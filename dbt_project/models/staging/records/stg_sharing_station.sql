{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as (
    select * from {{ source('records', 'sharing_station') }}
),

final as (
    select
        source,
        station_id,
        name,
        address,
        capacity,
        is_virtual,
        lon,
        lat,
        coalesce(deleted, false) as is_deleted,
        received_at,
        revision,
        run_id
    from source
)

select * from final
