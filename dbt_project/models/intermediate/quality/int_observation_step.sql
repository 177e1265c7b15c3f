{{ config(materialized='table') }}

with series as (
    select
        *,
        dense_rank() over (order by source, datastream_key)::integer as line_number,
        row_number() over (order by source, datastream_id, own_property, own_unit)::integer as series_number
    from {{ ref('int_observation_series') }}
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

-- What is sorted are numbers: texts would take twice as long.
plausible as (
    select
        series.line_number,
        series.series_number,
        observed.phenomenon_start_at,
        {{ convert_unit('observed.value_native', 'series') }} as value
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
    window steps as (partition by line_number order by phenomenon_start_at)
),

-- Most values neither jump nor are like a neighbour: they are left out before anything is sorted again.
candidates as (
    select
        series.source,
        series.datastream_key,
        compared.phenomenon_start_at,
        coalesce(
            compared.step_s <= 3 * 3600
            and abs(compared.difference) > series.max_change_per_hour * greatest(compared.step_s / 3600, 1),
            false
        ) as is_jump,
        coalesce(compared.difference <> 0 or compared.step_s > 3 * 3600, true) as is_other,
        series.flatline_hours,
        coalesce(
            compared.value > coalesce(series.flatline_above, '-infinity')
            and compared.value < coalesce(series.flatline_below, 'infinity'),
            false
        ) as may_be_flat
    from compared
    inner join series on compared.series_number = series.series_number
    where
        is_jump
        or (
            series.flatline_hours is not null
            and may_be_flat
            and (compared.difference = 0 or compared.next_value = compared.value)
        )
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
