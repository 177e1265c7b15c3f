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

final as (
    select distinct
        property_spellings.observed_property,
        observed.day
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
)

select * from final
