with tenant as (
    select * from {{ ref('stg_tenant') }}
),

unmapped as (
    select * from {{ ref('int_observation_series') }}
    where problem is not null
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
        unmapped.problem as rule,
        if(unmapped.problem = 'unknown_observed_property', 'observed_property', 'unit') as field,
        concat_ws(
            ' ',
            'property',
            coalesce('"' || unmapped.observed_property_native || '"', 'not given') || ',',
            'unit',
            coalesce('"' || unmapped.unit_native || '"', 'not given')
        ) as detail,
        records.day,
        records.received_at,
        records.run_id
    from {{ ref('stg_observation') }} as records
    inner join unmapped
        on {{ same_series('records', 'unmapped') }}
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
        arg_max(rejected.run_id, rejected.received_at) as run_id
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
