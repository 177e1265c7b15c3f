select
    datastream_id,
    phenomenon_time as observed_at,
    cast(timezone('Europe/Berlin', phenomenon_time) as date) as day,
    result as value
from {{ source('landed', 'observations') }}
