{#-
    The history of a thing: its versions, each with its number and the time for which it is in force.

    `replaced` has expressions for columns that are not shown as they are told.
-#}
{% macro thing_history(record_type, native_id, replaced={}) -%}
{%- set told = told_columns(record_type) -%}
with versions as (
    {{ versions(ref('stg_' ~ record_type), native_id, told) }}
),

seen as (
    {{ with_last_seen('versions', record_type, native_id) }}
)

select
    tenant,
    {{ shared_key(native_id) }} as {{ native_id.removesuffix('_id') }}_key,
    id_space,
    {{ native_id }},
    version,
    valid_from,
    valid_to,
    {% for column in told -%}
{{ replaced[column] ~ ' as ' if column in replaced }}{{ column }},
    {% endfor -%}
    lon,
    lat,
    received_at,
    source,
    run_id,
    last_seen_at
from seen
{%- endmacro %}

{#- A thing as it is now: the version of its history that is in force. -#}
{% macro current_versions(history) -%}
select * exclude (version, valid_from, valid_to)
from {{ history }}
where valid_to is null
{%- endmacro %}

{#-
    A thing as all of its sources together describe it, without versions; `names` are those of columns that have
    another one from here on. What is placed has a geometry, too, unless `has_shape` says otherwise.
-#}
{% macro merged_descriptions(record_type, native_id, names={}, is_placed=true, has_shape=true) -%}
select
    tenant,
    {{ shared_key(native_id) }} as {{ native_id.removesuffix('_id') }}_key,
    id_space,
    {{ native_id }},
    {% for column in told_columns(record_type) -%}
{{ latest(column, names.get(column)) }},
    {% endfor -%}
{% if is_placed -%}
{{ latest_position() }},
    {% endif -%}
{% if is_placed and has_shape -%}
{{ latest('geometry', 'geometry_wkb') }},
    {% endif -%}
    max(received_at) as received_at,
    {{ latest('source') }},
    {{ latest('run_id') }}
from ({{ described(ref('stg_' ~ record_type)) }})
group by tenant, id_space, {{ native_id }}
{%- endmacro %}

{#- A column that may name somebody: nothing where a person runs the thing, whoever has brought it. -#}
{% macro unless_person(column) -%}
case when operator_type is distinct from 'person' then {{ column }} end as {{ column }}
{%- endmacro %}
