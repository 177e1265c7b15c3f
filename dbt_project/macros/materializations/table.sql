{#-
    A table made directly under its name.

    The adapter builds under another name, renames, and keeps a backup, so that readers never see half a table. A
    workspace is a throw-away file without readers: the dance would only cost a third of the time of a small run.
-#}
{% materialization table, adapter='duckdb', supported_languages=['sql'] %}
{%- set existing = load_cached_relation(this) -%}
{%- set target = this.incorporate(type='table') -%}
{{ drop_relation_if_exists(existing) }}
{%- call statement('main') -%}
{{ create_table_as(false, target, compiled_code) }}
{%- endcall -%}
{{ adapter.commit() }}
{{ return({'relations': [target]}) }}
{% endmaterialization %}
