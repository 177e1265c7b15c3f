with source as (
    select * from {{ source('records', 'source') }}
),

final as (
    select
        source,
        coalesce(id_space, source) as id_space,
        title,
        connector,
        licence,
        attribution,
        licence_url,
        notice,
        is_shareable,
        url,
        last_fetched_at,
        last_changed_at,
        state
    from source
)

select * from final
