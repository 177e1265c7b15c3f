select
    datastream_id,
    station_id,
    station_name,
    name,
    unit,
    case property
        when 'air temperature' then 'weather.air_temperature'
        when 'relative humidity' then 'weather.relative_humidity'
        when 'PM10' then 'air.pm10'
        else property
    end as observed_property,
    lon,
    lat
from {{ source('landed', 'datastreams') }}
