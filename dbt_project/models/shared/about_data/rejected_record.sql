with tenant as (
    select * from {{ ref('stg_tenant') }}
),

property_spellings as (
    select * from {{ ref('int_observed_property_spelling') }}
),

unit_spellings as (
    select * from {{ ref('int_unit_spelling') }}
),

unmapped as (
    select
        *,
        case problem
            when 'unknown_observed_property' then {{ spelling('observed_property_native') }}
            when 'unknown_unit' then {{ spelling('unit_native') }}
        end as unknown_spelling
    from {{ ref('int_observation_series') }}
    where problem is not null
),

guessed as (
    select
        *,
        if(
            problem = 'unknown_observed_property',
            {{ likely_codes('unmapped.unknown_spelling', 'property_spellings', 'observed_property') }},
            {{ likely_codes('unmapped.unknown_spelling', 'unit_spellings', 'unit') }}
        ) as likely_codes
    from unmapped
),

rejected as (
    select
        records.source,
        records.record_type,
        records.rule,
        records.field,
        records.detail,
        coalesce(records.day, timezone(tenant.timezone, records.received_at)::date) as day,
        records.received_at,
        records.run_id
    from {{ ref('stg_rejected') }} as records
    cross join tenant
    union all
    select
        records.source,
        'observation' as record_type,
        guessed.problem as rule,
        if(guessed.problem = 'unknown_observed_property', 'observed_property', 'unit') as field,
        concat_ws(
            ' ',
            'property',
            coalesce('"' || guessed.observed_property_native || '"', 'not given') || ',',
            'unit',
            coalesce('"' || guessed.unit_native || '"', 'not given')
        ) || coalesce('; perhaps ' || guessed.likely_codes, '') as detail,
        records.day,
        records.received_at,
        records.run_id
    from {{ ref('stg_observation') }} as records
    inner join guessed
        on {{ same_series('records', 'guessed') }}
),

final as (
    select
        tenant.tenant,
        rejected.source,
        rejected.record_type,
        rejected.rule,
        rejected.field,
        rejected.day,
        count(*) as record_count,
        min(rejected.detail) as example_detail,
        min(rejected.received_at) as first_received_at,
        max(rejected.received_at) as last_received_at,
        {{ last_received(['run_id'], 'rejected') }}
    from rejected
    cross join tenant
    group by
        tenant.tenant,
        rejected.source,
        rejected.record_type,
        rejected.rule,
        rejected.field,
        rejected.day
)

select * from final
