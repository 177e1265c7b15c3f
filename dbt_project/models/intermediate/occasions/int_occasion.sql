with observed as (
    select distinct observed_property from {{ ref('int_observed_on') }}
),

properties as (
    select known.*
    from {{ ref('observed_properties') }} as known
    semi join observed on known.code = observed.observed_property
),

limits as (
    select known.*
    from {{ ref('limit_values') }} as known
    semi join observed on known.observed_property = observed.observed_property
),

final as (
    select wide_model as occasion
    from properties
    where wide_model is not null
    union
    select 'comparison' as occasion
    from properties
    where max_change_per_hour is not null or flatline_hours is not null
    union
    select 'limit_value' as occasion
    from limits
    union
    select 'running_mean' as occasion
    from limits
    where averaging = 'running_8_hours'
    union
    select 'correction' as occasion
    from {{ ref('stg_observation_revision') }}
)

select * from final
