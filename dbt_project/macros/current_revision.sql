{#-
    Rows of `relation` that are the current revision of their key, without the things that their source no longer has.

    Nearly every record has one revision only, so the last revision is looked up just for keys that have been revised:
    a small hash table instead of a sort over everything. A CTE that is given as `relation` should be `not materialized`:
    of the files of records, those without a revision are then not looked into a second time, and none is copied.
-#}
{% macro current_revision(relation, key) -%}
select {{ relation }}.*
from {{ relation }}
left join (
    select
        {{ key | join(', ') }},
        max(revision) as last_revision
    from {{ relation }}
    where revision > 1
    group by {{ key | join(', ') }}
) as revised
    on {% for column in key -%}
{{ 'and ' if not loop.first }}{{ relation }}.{{ column }} = revised.{{ column }}
{% endfor %}
where
    (revised.last_revision is null or {{ relation }}.revision = revised.last_revision)
    and {{ relation }}.deleted is distinct from true
{%- endmacro %}
