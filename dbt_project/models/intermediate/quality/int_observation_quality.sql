{{ config(materialized='table') }}

with mistakes as (
    select * from {{ ref('unit_mistakes') }}
),

outside as (
    select stations.station_key
    from {{ ref('station') }} as stations
    inner join {{ ref('stg_tenant') }} as tenant on stations.tenant = tenant.tenant
    where
        stations.lon not between tenant.west and tenant.east
        or stations.lat not between tenant.south and tenant.north
),

series as (
    select
        series.*,
        mistakes.rule as mistake,
        mistakes.factor as mistake_factor,
        mistakes.shift as mistake_shift,
        outside.station_key is not null as is_outside
    from {{ ref('int_observation_series') }} as series
    left join mistakes on series.observed_property = mistakes.observed_property
    left join outside on series.station_key = outside.station_key
    where series.problem is null
),

marks as (
    select * from {{ ref('int_quality_mark') }}
    where quality_code <> 'good'
),

observed as (
    select
        source,
        datastream_id,
        phenomenon_start_at,
        value_native,
        coalesce(value_native is null and value_text is null, false) as is_empty,
        coalesce(value_native is null and value_text is not null, false) as is_text,
        value_flag,
        time_flag,
        observed_property_native,
        unit_native,
        quality_native,
        received_at
    from {{ ref('stg_observation') }}
    union all
    select
        source,
        datastream_id,
        phenomenon_start_at,
        value_native,
        false as is_empty,
        false as is_text,
        null as value_flag,
        time_flag,
        observed_property_native,
        unit_native,
        quality_native,
        received_at
    from {{ ref('stg_observation_before') }}
),

converted as (
    select
        observed.source,
        series.datastream_key,
        observed.phenomenon_start_at,
        observed.received_at,
        observed.value_native,
        {{ convert_unit('observed.value_native', 'series') }} as value,
        observed.is_empty,
        observed.is_text,
        observed.value_flag,
        observed.time_flag,
        observed.quality_native,
        series.valid_min,
        series.valid_max,
        series.mistake,
        series.mistake_factor,
        series.mistake_shift,
        series.is_outside
    from observed
    inner join series
        on {{ same_series('observed', 'series') }}
),

-- The first rule that holds counts: what makes a value none at all, what its publisher is sure of, when and
-- where it was measured, how it was written, and what its neighbours say.
judged as (
    select
        converted.source,
        converted.datastream_key,
        converted.phenomenon_start_at,
        case
            when converted.is_empty and converted.value_flag = 'sentinel' then 'sentinel'
            when converted.is_empty then 'withdrawn'
            -- Every property has a unit: what it is measured in is a number.
            when converted.is_text then 'not_a_number'
            when
                converted.value not between converted.valid_min and converted.valid_max
                and sentinels.value is not null
                then 'sentinel'
            when marks.quality_code = 'bad' then 'source_bad'
            when converted.time_flag = 'clock_unset' then 'clock_unset'
            when {{ is_in_future('converted.phenomenon_start_at', 'converted.received_at') }}
                then 'clock_in_future'
            when converted.is_outside then 'outside_bbox'
            when
                converted.value not between converted.valid_min and converted.valid_max
                and converted.value * converted.mistake_factor + converted.mistake_shift
                between converted.valid_min and converted.valid_max
                then converted.mistake
            when converted.value not between converted.valid_min and converted.valid_max then 'range'
            when steps.is_jump then 'rate_of_change'
            when steps.is_flat then 'flatline'
            when marks.quality_code = 'suspect' then 'source_suspect'
            when marks.quality_code = 'provisional' then 'source_provisional'
        end as quality_rule
    from converted
    left join {{ ref('sentinels') }} as sentinels on converted.value_native = sentinels.value
    left join marks
        on
            converted.source = marks.source
            and converted.quality_native = marks.quality_native
    left join {{ ref('int_observation_step') }} as steps
        on
            converted.source = steps.source
            and converted.datastream_key = steps.datastream_key
            and converted.phenomenon_start_at = steps.phenomenon_start_at
),

final as (
    select
        *,
        {{ quality_code('quality_rule') }} as quality_code
    from judged
    where quality_rule is not null
)

select * from final
