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

own as (
    select
        mappings.spelling,
        min(mappings.code) as observed_property
    from {{ ref('stg_mapping') }} as mappings
    semi join properties on mappings.code = properties.code
    where mappings.kind = 'property' and mappings.spelling is not null
    group by mappings.spelling
),

common as (
    select distinct
        {{ spelling('native') }} as spelling,
        observed_property
    from known
    where native is not null
),

-- What the tenant says of its publishers goes before what is usual; a code that there is not says nothing.
final as (
    select
        spelling,
        observed_property
    from own
    union all
    select
        common.spelling,
        common.observed_property
    from common
    anti join own on common.spelling = own.spelling
)

select * from final
