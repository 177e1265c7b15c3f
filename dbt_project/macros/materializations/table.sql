{#-
    A table made directly under its name, and filled anew where it is there already.

    The adapter builds under another name, renames, and keeps a backup, so that readers never see half a table. A
    workspace is a throw-away file without readers: the dance would only cost a third of the time of a small run.
    A run's workspace begins with the empty tables that the same SQL has made under the same contracts, which
    have compared names and types then: asking for them again would cost as much as making a small table.
-#}
{% materialization table, adapter='duckdb', supported_languages=['sql'] %}
{%- set existing = load_cached_relation(this) -%}
{%- set target = this.incorporate(type='table') -%}
{%- if existing is not none and existing.is_table -%}
{%- call statement('main') -%}
truncate {{ target }};
insert into {{ target }} by name
{{ compiled_code }}
{%- endcall -%}
{%- else -%}
{{ drop_relation_if_exists(existing) }}
{%- call statement('main') -%}
{{ create_table_as(false, target, compiled_code) }}
{%- endcall -%}
{%- endif -%}
{{ adapter.commit() }}
{{ return({'relations': [target]}) }}
{% endmaterialization %}
