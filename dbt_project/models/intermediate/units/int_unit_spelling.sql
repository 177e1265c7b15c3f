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

final as (
    select distinct
        {{ spelling('native') }} as spelling,
        unit
    from known
    where native is not null
)

select * from final
