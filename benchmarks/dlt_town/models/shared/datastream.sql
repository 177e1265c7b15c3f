select
    datastream_id,
    station_id,
    name,
    observed_property,
    unit
from {{ ref('stg_datastream') }}
