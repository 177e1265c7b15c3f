with merged as (
    {{ merged_descriptions('council_paper', 'paper_id', is_placed=false) }}
),

standing as (
    select * exclude (is_withdrawn) from merged
    where not coalesce(is_withdrawn, false)
),

final as (
    {{ with_last_seen('standing', 'council_paper', 'paper_id') }}
)

select * from final
