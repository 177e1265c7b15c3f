{#- A readable key that is the same in every run: tenant, space of ids, native id; null where the id is. -#}
{% macro shared_key(native_id, relation=none) -%}
{%- set prefix = relation ~ '.' if relation else '' -%}
{{ prefix }}tenant || ':' || {{ prefix }}id_space || ':' || {{ prefix }}{{ native_id }}
{%- endmacro %}
