with properties as (
    select * from {{ ref('observed_properties') }}
),

spellings as (
    select * from {{ ref('observed_property_spellings') }}
),

known as (
    select
        code as native,
        code as observed_property
    from properties
    union all
    select
        label_de as native,
        code as observed_property
    from properties
    union all
    select
        label_en as native,
        code as observed_property
    from properties
    union all
    select
        spelling as native,
        observed_property
    from spellings
),

final as (
    select distinct
        {{ spelling('native') }} as spelling,
        observed_property
    from known
    where native is not null
)

select * from final
