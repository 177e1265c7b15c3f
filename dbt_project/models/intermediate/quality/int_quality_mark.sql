with tables as (
    select
        source,
        quality_native
    from {{ ref('stg_observation') }}
    where quality_native is not null
    union
    select
        source,
        quality_native
    from {{ ref('stg_observation_before') }}
    where quality_native is not null
),

sources as (
    select * from {{ ref('stg_source') }}
),

spellings as (
    select
        nullif(connector, '') as connector,
        {{ spelling('spelling') }} as spelling,
        quality_code
    from {{ ref('quality_spellings') }}
),

final as (
    select
        tables.source,
        tables.quality_native,
        spellings.quality_code
    from tables
    left join sources on tables.source = sources.source
    inner join spellings
        on
            {{ spelling('tables.quality_native') }} = spellings.spelling
            and coalesce(sources.connector = spellings.connector, spellings.connector is null)
    qualify
        row_number() over (
            partition by tables.source, tables.quality_native order by spellings.connector is null
        ) = 1
)

select * from final
