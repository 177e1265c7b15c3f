with properties as (
    select * from {{ ref('observed_properties') }}
),

conversions as (
    select * from {{ ref('unit_conversions') }}
),

candidates as (
    select
        code as observed_property,
        canonical_unit as from_unit,
        1 as factor,
        0 as shift,
        0 as generality
    from properties
    union all
    select
        properties.code as observed_property,
        conversions.from_unit,
        conversions.factor,
        conversions.shift,
        if(conversions.observed_property is null, 2, 1) as generality
    from properties
    inner join conversions
        on
            properties.canonical_unit = conversions.to_unit
            and coalesce(conversions.observed_property, properties.code) = properties.code
),

final as (
    select
        observed_property,
        from_unit,
        factor::double as factor,
        shift::double as shift
    from candidates
    qualify
        row_number() over (
            partition by observed_property, from_unit
            order by generality, factor, shift
        ) = 1
)

select * from final
