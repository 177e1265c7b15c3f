{#-
    Versions of things that several sources may describe, each with its number and the time for which it is in force.

    At every moment at which a description was received, the descriptions of all sources at that moment are merged: of
    each column the latest value that is not null counts, and the position is taken as a pair. Where that changes
    what was known, a version begins; what was unknown before is taken to have been so all the time. A thing that no
    source has any more is in no version from then on.
-#}
{% macro versions(relation, native_id, columns) -%}
{%- set thing = ['id_space', native_id] -%}
{%- set shown = columns + ['lon', 'lat'] -%}
with revisions as (
    select
        *,
        if(is_deleted, null, row_number() over (order by received_at, source)) as precedence
    from (
        -- What came later is later, also where a clock was set back between.
        select
            * exclude (received_at),
            max(received_at) over (partition by source, {{ native_id }} order by revision) as received_at
        from ({{ identified(relation) }})
    )
    -- Of what is received at one moment only the last was ever in force.
    qualify
        row_number() over (partition by source, {{ native_id }}, received_at order by revision desc) = 1
),

moments as (
    select
        changes.*,
        describers.source
    from (select distinct tenant, {{ thing | join(', ') }}, received_at as moment from revisions) as changes
    inner join (select distinct source, {{ thing | join(', ') }} from revisions) as describers
        using ({{ thing | join(', ') }})
),

states as (
    select
        moments.tenant,
        {% for column in thing %}moments.{{ column }},
        {% endfor -%}
        moments.moment,
        {% for column in columns -%}
arg_max(revisions.{{ column }}, revisions.precedence) as {{ column }},
        {% endfor -%}
        arg_max(revisions.lon, revisions.precedence) filter (where revisions.lat is not null) as lon,
        arg_max(revisions.lat, revisions.precedence) filter (where revisions.lon is not null) as lat,
        max(revisions.received_at) as received_at,
        arg_max(revisions.source, revisions.precedence) as source,
        arg_max(revisions.run_id, revisions.precedence) as run_id
    from moments
    asof inner join revisions
        on
            moments.source = revisions.source
            and moments.{{ native_id }} = revisions.{{ native_id }}
            and moments.moment >= revisions.received_at
    group by all
),

compared as (
    select
        *,
        {
            'is_there': source is not null
{%- for column in shown %},
            '{{ column }}': {{ column }}
{%- endfor %}
        } as state,
        lag(state) over (partition by {{ thing | join(', ') }} order by moment) as before
    from states
),

counted as (
    select
        *,
        count(*) filter (
            where before is null or state.is_there <> before.is_there
{%- for column in shown %}
            or (before.{{ column }} is not null and {{ column }} is distinct from before.{{ column }})
{%- endfor %}
        ) over (partition by {{ thing | join(', ') }} order by moment) as period
    from compared
),

periods as (
    select
        * exclude (state, before),
        min(moment) over (partition by {{ thing | join(', ') }}, period) as begun_at
    from counted
    qualify row_number() over (partition by {{ thing | join(', ') }}, period order by moment desc) = 1
),

bounded as (
    select
        *,
        if(period = 1, timestamptz '1900-01-01 00:00:00+00', begun_at) as valid_from,
        lead(begun_at) over (partition by {{ thing | join(', ') }} order by period) as valid_to
    from periods
)

select
    *,
    row_number() over (partition by {{ thing | join(', ') }} order by period)::integer as version
from bounded
where source is not null
{%- endmacro %}

{#- Whether a version is in force at a moment. -#}
{% macro in_force(version, moment) -%}
{{ moment }} >= {{ version }}.valid_from
and {{ moment }} < coalesce({{ version }}.valid_to, timestamptz 'infinity')
{%- endmacro %}
