{{ config(materialized='table') }}

with observed as (
    select * from {{ ref('stg_observation_series') }}
),

tenant as (
    select * from {{ ref('stg_tenant') }}
),

stations as (
    select
        station_key,
        max(version) as last_version
    from {{ ref('station_history') }}
    group by station_key
),

sources as (
    select * from {{ ref('stg_source') }}
),

datastreams as (
    select * from {{ ref('int_datastream') }}
),

properties as (
    select * from {{ ref('observed_properties') }}
),

units as (
    select * from {{ ref('units') }}
),

property_spellings as (
    select * from {{ ref('int_observed_property_spelling') }}
),

unit_spellings as (
    select * from {{ ref('int_unit_spelling') }}
),

conversions as (
    select * from {{ ref('int_unit_conversion') }}
),

identified as (
    select
        tenant.tenant,
        observed.source,
        coalesce(sources.id_space, observed.source) as id_space,
        observed.datastream_id,
        observed.own_property,
        observed.own_unit
    from observed
    cross join tenant
    left join sources on observed.source = sources.source
),

described as (
    select
        identified.*,
        {{ shared_key('datastream_id', 'identified') }} as datastream_key,
        datastreams.station_key,
        datastreams.station_id,
        stations.last_version as last_station_version,
        datastreams.interval_s,
        coalesce(identified.own_property, datastreams.observed_property_native) as observed_property_native,
        coalesce(identified.own_unit, datastreams.unit_native) as unit_native
    from identified
    left join datastreams
        on
            identified.id_space = datastreams.id_space
            and identified.datastream_id = datastreams.datastream_id
    left join stations on datastreams.station_key = stations.station_key
),

understood as (
    select
        described.*,
        properties.code as observed_property,
        properties.canonical_unit as unit,
        properties.valid_min,
        properties.valid_max,
        properties.max_change_per_hour,
        properties.flatline_hours,
        properties.flatline_above,
        properties.flatline_below,
        case
            when {{ spelling('described.unit_native') }} is not null then unit_spellings.unit
            when canonical_units.may_be_omitted then properties.canonical_unit
        end as from_unit
    from described
    left join property_spellings
        on {{ spelling('described.observed_property_native') }} = property_spellings.spelling
    left join properties on property_spellings.observed_property = properties.code
    left join units as canonical_units on properties.canonical_unit = canonical_units.code
    left join unit_spellings on {{ spelling('described.unit_native') }} = unit_spellings.spelling
),

converted as (
    select
        understood.*,
        conversions.factor,
        conversions.shift,
        case
            when understood.observed_property is null then 'unknown_observed_property'
            when understood.from_unit is null then 'unknown_unit'
            when conversions.factor is null then 'unconvertible_unit'
        end as problem
    from understood
    left join conversions
        on
            understood.observed_property = conversions.observed_property
            and understood.from_unit = conversions.from_unit
),

final as (
    select
        *,
        problem is null
        and min(source) over (partition by datastream_key, problem is null)
        <> max(source) over (partition by datastream_key, problem is null) as has_rivals
    from converted
)

select * from final
