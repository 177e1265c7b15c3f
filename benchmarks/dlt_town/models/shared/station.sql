select distinct
    station_id,
    station_name as name,
    lon,
    lat
from {{ ref('stg_datastream') }}
