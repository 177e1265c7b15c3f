with observed as (
    select * from {{ ref('stg_observation_day') }}
),

sources as (
    select * from {{ ref('stg_source') }}
),

datastreams as (
    select * from {{ ref('int_datastream') }}
),

property_spellings as (
    select * from {{ ref('int_observed_property_spelling') }}
),

looking_back as (
    select observed_property
    from {{ ref('limit_values') }}
    where averaging = 'running_8_hours'
    union
    select code as observed_property
    from {{ ref('observed_properties') }}
    where max_change_per_hour is not null or flatline_hours is not null
),

final as (
    select distinct observed.day
    from observed
    left join sources on observed.source = sources.source
    left join datastreams
        on
            coalesce(sources.id_space, observed.source) = datastreams.id_space
            and observed.datastream_id = datastreams.datastream_id
    inner join property_spellings
        on
            {{ spelling('coalesce(observed.own_property, datastreams.observed_property_native)') }}
            = property_spellings.spelling
    inner join looking_back on property_spellings.observed_property = looking_back.observed_property
)

select * from final
