{#- A view made directly under its name; `table.sql` says why. -#}
{% materialization view, adapter='duckdb' %}
{%- set existing = load_cached_relation(this) -%}
{%- set target = this.incorporate(type='view') -%}
{{ drop_relation_if_exists(existing) }}
{%- call statement('main') -%}
create view {{ target }} as
{{ compiled_code }}
{%- endcall -%}
{{ adapter.commit() }}
{{ return({'relations': [target]}) }}
{% endmaterialization %}
