with series as (
    select * from {{ ref('int_observation_series') }}
    where problem is null
),

-- Most stations have never changed: only for the others it matters when something was observed.
changed_stations as (
    select versions.*
    from {{ ref('station_history') }} as versions
    semi join series
        on versions.station_key = series.station_key and series.last_station_version > 1
),

corrected as (
    select
        source,
        datastream_key,
        phenomenon_start_at
    from {{ ref('int_observation_correction') }}
    group by source, datastream_key, phenomenon_start_at
),

outranked as (
    select
        records.source,
        series.datastream_key,
        records.phenomenon_start_at
    from {{ ref('stg_observation') }} as records
    inner join series
        on {{ same_series('records', 'series') }}
    where series.has_rivals
    qualify
        row_number() over (
            partition by series.datastream_key, records.phenomenon_start_at
            order by records.received_at desc, records.source asc
        ) > 1
),

converted as (
    select
        records.*,
        series.tenant,
        series.datastream_key,
        series.station_key,
        if(
            series.last_station_version > 1, changed_stations.version, series.last_station_version
        ) as station_version,
        series.station_id,
        series.observed_property,
        {{ convert_unit('records.value_native', 'series') }} as value,
        series.unit,
        series.unit_native as series_unit_native
    from {{ ref('stg_observation') }} as records
    inner join series
        on {{ same_series('records', 'series') }}
    left join changed_stations
        on
            series.station_key = changed_stations.station_key
            and {{ in_force('changed_stations', 'records.phenomenon_start_at') }}
),

final as (
    select
        converted.tenant,
        converted.datastream_key,
        converted.station_key,
        converted.station_version,
        converted.datastream_id,
        converted.station_id,
        converted.observed_property,
        converted.phenomenon_start_at,
        converted.phenomenon_end_at,
        converted.day,
        if(quality.quality_rule = 'sentinel', null, converted.value) as value,
        converted.unit,
        converted.value_native,
        converted.series_unit_native as unit_native,
        converted.value_text,
        converted.result_at,
        coalesce(quality.quality_code, 'good') as quality_code,
        quality.quality_rule,
        converted.quality_native,
        converted.time_flag,
        corrected.source is not null as is_corrected,
        converted.revision,
        converted.received_at,
        converted.source,
        converted.run_id
    from converted
    left join outranked
        on
            converted.source = outranked.source
            and converted.datastream_key = outranked.datastream_key
            and converted.phenomenon_start_at = outranked.phenomenon_start_at
    left join {{ ref('int_observation_quality') }} as quality
        on
            converted.source = quality.source
            and converted.datastream_key = quality.datastream_key
            and converted.phenomenon_start_at = quality.phenomenon_start_at
    left join corrected
        on
            converted.source = corrected.source
            and converted.datastream_key = corrected.datastream_key
            and converted.phenomenon_start_at = corrected.phenomenon_start_at
    where outranked.source is null
)

select * from final
