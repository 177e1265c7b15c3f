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

-- A value may carry several marks, each perhaps after the name of what it is about.
marks as (
    select
        tables.source,
        sources.connector,
        tables.quality_native,
        unnest(string_split(tables.quality_native, '; ')) as mark
    from tables
    left join sources on tables.source = sources.source
),

written as (
    select
        *,
        unnest([mark, nullif(regexp_extract(mark, '^.*: (.*)$', 1), '')]) as written_mark
    from marks
),

known as (
    select
        written.source,
        written.quality_native,
        spellings.quality_code
    from written
    inner join spellings
        on
            {{ spelling('written.written_mark') }} = spellings.spelling
            and coalesce(written.connector = spellings.connector, spellings.connector is null)
    qualify
        row_number() over (
            partition by written.source, written.quality_native, written.mark
            order by
                spellings.connector is null,
                written.written_mark <> written.mark,
                {{ quality_rank('spellings.quality_code') }} desc
        ) = 1
),

-- The worst of them counts.
final as (
    select
        source,
        quality_native,
        arg_max(
            quality_code, list_position(['good', 'provisional', 'suspect', 'bad'], quality_code)
        ) as quality_code
    from known
    group by source, quality_native
)

select * from final
