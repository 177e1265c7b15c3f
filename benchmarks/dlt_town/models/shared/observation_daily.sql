{{ config(materialized='incremental', incremental_strategy='delete+insert', unique_key='day') }}

select
    datastream_id,
    station_id,
    observed_property,
    unit,
    day,
    avg(value) as value_mean,
    min(value) as value_min,
    max(value) as value_max,
    count(*) as value_count
from {{ ref('observation') }}
{% if is_incremental() %}
    where day between cast('{{ var("first") }}' as date) and cast('{{ var("last") }}' as date)
{% endif %}
group by all
