{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='day') }}

select
    observed.datastream_id,
    datastreams.station_id,
    datastreams.observed_property,
    datastreams.unit,
    observed.observed_at,
    observed.day,
    observed.value
from {{ ref('stg_observation') }} as observed
inner join {{ ref('stg_datastream') }} as datastreams on observed.datastream_id = datastreams.datastream_id
{% if is_incremental() %}
    where observed.day between cast('{{ var("first") }}' as date) and cast('{{ var("last") }}' as date)
{% endif %}
