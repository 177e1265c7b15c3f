with aged as (
    {{ with_staleness(ref('stg_sharing_status'), 'sharing_status', 'station_id') }}
),

identified as (
    {{ identified('aged') }}
),

stations as (
    select * from {{ ref('sharing_station_history') }}
),

received_last as (
    {{ rows_received_last('identified', ['station_id', 'observed_at']) }}
),

judged as (
    select
        received_last.*,
        stations.version as station_version,
        case
            when
                coalesce(received_last.vehicles_available, received_last.docks_available) is null
                and received_last.is_renting is null
                and received_last.is_returning is null
                then 'withdrawn'
            when {{ is_in_future('received_last.observed_at', 'received_last.received_at') }}
                then 'clock_in_future'
            when received_last.docks_available > stations.capacity then 'exceeds_capacity'
            when received_last.is_stale then 'stale'
        end as quality_rule
    from received_last
    left join stations
        on
            received_last.id_space = stations.id_space
            and received_last.station_id = stations.station_id
            and {{ in_force('stations', 'received_last.observed_at') }}
),

final as (
    select
        tenant,
        {{ shared_key('station_id') }} as station_key,
        station_version,
        station_id,
        observed_at,
        day,
        vehicles_available,
        vehicles_disabled,
        docks_available,
        docks_disabled,
        is_installed,
        is_renting,
        is_returning,
        {{ quality_code('quality_rule') }} as quality_code,
        quality_rule,
        revision,
        received_at,
        source,
        run_id
    from judged
)

select * from final
