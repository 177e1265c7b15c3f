{{ config(materialized='table') }}

with series as (
    select * from {{ ref('int_observation_series') }}
    where
        problem is null
        and (max_change_per_hour is not null or flatline_hours is not null)
),

observed as (
    select
        source,
        datastream_id,
        phenomenon_start_at,
        value_native,
        observed_property_native,
        unit_native
    from {{ ref('stg_observation') }}
    union all
    select
        source,
        datastream_id,
        phenomenon_start_at,
        value_native,
        observed_property_native,
        unit_native
    from {{ ref('stg_observation_before') }}
),

plausible as (
    select
        observed.source,
        series.datastream_key,
        observed.phenomenon_start_at,
        {{ convert_unit('observed.value_native', 'series') }} as value,
        series.max_change_per_hour,
        series.flatline_hours,
        series.flatline_above,
        series.flatline_below
    from observed
    inner join series
        on {{ same_series('observed', 'series') }}
    where
        {{ convert_unit('observed.value_native', 'series') }}
        between series.valid_min and series.valid_max
),

compared as (
    select
        *,
        value - lag(value) over steps as difference,
        epoch(phenomenon_start_at) - epoch(lag(phenomenon_start_at) over steps) as step_s,
        lead(value) over steps as next_value
    from plausible
    window steps as (partition by source, datastream_key order by phenomenon_start_at)
),

-- Most values neither jump nor are like a neighbour: they are left out before anything is sorted again.
candidates as (
    select
        source,
        datastream_key,
        phenomenon_start_at,
        coalesce(
            step_s <= 3 * 3600 and abs(difference) > max_change_per_hour * greatest(step_s / 3600, 1), false
        ) as is_jump,
        coalesce(difference <> 0 or step_s > 3 * 3600, true) as is_other,
        flatline_hours,
        coalesce(
            value > coalesce(flatline_above, '-infinity')
            and value < coalesce(flatline_below, 'infinity'),
            false
        ) as may_be_flat
    from compared
    where is_jump or (flatline_hours is not null and may_be_flat and (difference = 0 or next_value = value))
),

-- A value is held against those before it as long as they are at most three hours apart: so it depends on
-- nothing that is older than the day before.
runs as (
    select
        *,
        max(phenomenon_start_at) filter (where is_other) over (
            partition by source, datastream_key
            order by phenomenon_start_at
            rows between unbounded preceding and current row
        ) as unchanged_since_at
    from candidates
),

judged as (
    select
        source,
        datastream_key,
        phenomenon_start_at,
        is_jump,
        coalesce(
            may_be_flat
            and epoch(phenomenon_start_at) - epoch(unchanged_since_at) >= flatline_hours * 3600,
            false
        ) as is_flat
    from runs
),

final as (
    select * from judged
    where is_jump or is_flat
)

select * from final
