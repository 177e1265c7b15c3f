{#- Written by `make models` from civitas_assets/records; change it there. -#}
with source as not materialized (
    select * from {{ source('records', 'council_paper') }}
),

current_records as (
    {{ current_revision('source', ['source', 'paper_id']) }}
),

final as (
    select
        source,
        paper_id,
        reference,
        title,
        paper_type,
        dated_on,
        place_name,
        file_url,
        website,
        created_at,
        changed_at,
        is_withdrawn,
        received_at,
        revision,
        run_id
    from current_records
)

select * from final
