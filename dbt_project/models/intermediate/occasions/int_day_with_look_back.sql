with observed as (
    select * from {{ ref('int_observed_on') }}
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
    semi join looking_back on observed.observed_property = looking_back.observed_property
)

select * from final
