with units as (
    select * from {{ ref('units') }}
),

spellings as (
    select * from {{ ref('unit_spellings') }}
),

known as (
    select
        code as native,
        code as unit
    from units
    union all
    select
        label as native,
        code as unit
    from units
    union all
    select
        qudt_unit as native,
        code as unit
    from units
    union all
    select
        uncefact_unit as native,
        code as unit
    from units
    union all
    select
        spelling as native,
        unit
    from spellings
),

own as (
    select
        mappings.spelling,
        min(mappings.code) as unit
    from {{ ref('stg_mapping') }} as mappings
    semi join units on mappings.code = units.code
    where mappings.kind = 'unit' and mappings.spelling is not null
    group by mappings.spelling
),

common as (
    select distinct
        {{ spelling('native') }} as spelling,
        unit
    from known
    where native is not null
),

-- What the tenant says of its publishers goes before what is usual; a code that there is not says nothing.
final as (
    select
        spelling,
        unit
    from own
    union all
    select
        common.spelling,
        common.unit
    from common
    anti join own on common.spelling = own.spelling
)

select * from final
