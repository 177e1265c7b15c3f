{#- A readable key that is the same in every run: tenant, space of ids, native id; null where the id is. -#}
{% macro shared_key(native_id) -%}
    tenant || ':' || id_space || ':' || {{ native_id }}
{%- endmacro %}
