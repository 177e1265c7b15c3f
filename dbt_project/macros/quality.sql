{#- The code that goes with the rule that a row breaks; a row that breaks none is good. -#}
{% macro quality_code(rule) -%}
case
    when {{ rule }} is null then 'good'
    when {{ rule }} in ('sentinel', 'withdrawn') then 'missing'
    when {{ rule }} = 'source_bad' then 'bad'
    when {{ rule }} = 'source_provisional' then 'provisional'
    else 'suspect'
end
{%- endmacro %}

{#-
    Whether a value counts where values are put together, as valid data do in reports to the European Union: what is
    not yet verified does, what is doubted does not.
-#}
{% macro is_valid(code) -%}
{{ code }} in ('good', 'provisional')
{%- endmacro %}

{#- Place of a code from the best one on. -#}
{% macro quality_rank(code) -%}
case {{ code }}
    when 'good' then 0
    when 'provisional' then 1
    when 'suspect' then 2
    when 'bad' then 3
    else 4
end
{%- endmacro %}

{#- Quality of a row made of several values: missing if none is there, else that of the worst. -#}
{% macro wide_quality() -%}
case
    when count(value) = 0 then 'missing'
    when bool_or(quality_code = 'bad') then 'bad'
    when bool_or(quality_code = 'suspect') then 'suspect'
    when bool_or(quality_code = 'provisional') then 'provisional'
    else 'good'
end as quality_code
{%- endmacro %}

{#- Whether something is said to have happened after it was received, by more than clocks may differ. -#}
{% macro is_in_future(happened_at, received_at) -%}
not {{ is_within(happened_at, received_at, 600) }}
{%- endmacro %}

{#-
    Statuses with `is_stale`: whether a status was that old already when it was first received.

    A payload that has several statuses of one thing on a day tells its history, which may be as old as it likes.
-#}
{% macro with_staleness(relation, record_type, key) -%}
select
    statuses.*,
    coalesce(
        statuses.revision = 1
        and statuses.received_at - statuses.observed_at > to_hours(rules.stale_after_hours)
        and count(*) over (
            partition by statuses.source, statuses.{{ key }}, statuses.payload, statuses.day
        ) = 1,
        false
    ) as is_stale
from {{ relation }} as statuses
cross join (
    select max(stale_after_hours) as stale_after_hours
    from {{ ref('status_rules') }}
    where record_type = '{{ record_type }}'
) as rules
{%- endmacro %}
