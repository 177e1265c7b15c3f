with tenant as (
    select * from {{ ref('stg_tenant') }}
),

final as (
    select
        tenant.tenant,
        sources.source,
        sources.id_space,
        sources.title,
        sources.connector,
        sources.licence,
        sources.attribution,
        sources.licence_url,
        sources.notice,
        sources.is_shareable,
        sources.url,
        sources.last_fetched_at,
        sources.last_changed_at,
        sources.state
    from {{ ref('stg_source') }} as sources
    cross join tenant
)

select * from final
