{#-
    Things with `last_seen_at`: when an answer of any of the sources that share their ids last had them.

    What was received before such times were kept has none; then the time of the last description stands in.
-#}
{% macro with_last_seen(things, record_type, native_id) -%}
select
    things.*,
    coalesce(seen.last_seen_at, things.received_at) as last_seen_at
from {{ things }} as things
left join (
    select
        id_space,
        id,
        max(last_seen_at) as last_seen_at
    from ({{ identified(ref('stg_seen')) }})
    where record_type = '{{ record_type }}'
    group by id_space, id
) as seen
    on
        things.id_space = seen.id_space
        and things.{{ native_id }} = seen.id
{%- endmacro %}
