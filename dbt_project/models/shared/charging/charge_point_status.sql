with aged as (
    {{ with_staleness(ref('stg_charge_point_status'), 'charge_point_status', 'charge_point_id') }}
),

identified as (
    {{ identified('aged') }}
),

points as (
    select * from {{ ref('charge_point_history') }}
),

received_last as (
    {{ rows_received_last('identified', ['charge_point_id', 'observed_at']) }}
),

judged as (
    select
        received_last.*,
        points.version as charge_point_version,
        case
            when received_last.status is null and received_last.points_available is null then 'withdrawn'
            when {{ is_in_future('received_last.observed_at', 'received_last.received_at') }}
                then 'clock_in_future'
            when received_last.points_available > points.points then 'exceeds_capacity'
            when received_last.is_stale then 'stale'
        end as quality_rule
    from received_last
    left join points
        on
            received_last.id_space = points.id_space
            and received_last.charge_point_id = points.charge_point_id
            and {{ in_force('points', 'received_last.observed_at') }}
),

final as (
    select
        tenant,
        {{ shared_key('charge_point_id') }} as charge_point_key,
        charge_point_version,
        charge_point_id,
        observed_at,
        day,
        status,
        status_native,
        points_available,
        {{ quality_code('quality_rule') }} as quality_code,
        quality_rule,
        revision,
        received_at,
        source,
        run_id
    from judged
)

select * from final
