{#- Records with their tenant and the space in which their native ids are unique. -#}
{% macro identified(relation) -%}
select
    records.*,
    tenant.tenant,
    coalesce(sources.id_space, records.source) as id_space
from {{ relation }} as records
cross join {{ ref('stg_tenant') }} as tenant
left join {{ ref('stg_source') }} as sources on records.source = sources.source
{%- endmacro %}

{#- The same for things that several sources may describe, with the order in which descriptions count. -#}
{% macro described(relation) -%}
select
    *,
    row_number() over (order by received_at, source) as precedence
from ({{ identified(relation) }})
{%- endmacro %}
