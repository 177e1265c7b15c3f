with aged as (
    {{ with_staleness(ref('stg_parking_status'), 'parking_status', 'site_id') }}
),

identified as (
    {{ identified('aged') }}
),

sites as (
    select * from {{ ref('parking_site_history') }}
),

received_last as (
    {{ rows_received_last('identified', ['site_id', 'observed_at']) }}
),

sized as (
    select
        received_last.* exclude (capacity),
        coalesce(
            received_last.capacity,
            received_last.free + received_last.occupied,
            sites.capacity
        ) as capacity,
        sites.version as site_version
    from received_last
    left join sites
        on
            received_last.id_space = sites.id_space
            and received_last.site_id = sites.site_id
            and {{ in_force('sites', 'received_last.observed_at') }}
),

completed as (
    select
        * exclude (free, occupied),
        coalesce(free, if(capacity >= occupied, capacity - occupied, null)) as free,
        coalesce(occupied, if(capacity >= free, capacity - free, null)) as occupied,
        coalesce(greatest(free, occupied) > capacity, false) as is_overfull,
        free is null and occupied is null and opening_status is null as is_withdrawn
    from sized
),

judged as (
    select
        *,
        case
            when is_withdrawn then 'withdrawn'
            when {{ is_in_future('observed_at', 'received_at') }} then 'clock_in_future'
            when is_overfull then 'exceeds_capacity'
            when is_stale then 'stale'
        end as quality_rule
    from completed
),

final as (
    select
        tenant,
        {{ shared_key('site_id') }} as site_key,
        site_version,
        site_id,
        observed_at,
        day,
        free,
        occupied,
        capacity,
        {{ ratio('occupied', 'capacity') }} as occupancy_ratio,
        opening_status,
        opening_status_native,
        {{ quality_code('quality_rule') }} as quality_code,
        quality_rule,
        revision,
        received_at,
        source,
        run_id
    from judged
)

select * from final
