{#-
    Observations of the given properties at a station, one per station, time and property.

    Where a station measures a property with several datastreams, the best value counts: good before suspect, then the
    smallest datastream id. The ranking is done only for such stations.
-#}
{% macro ranked_values(observations, properties) -%}
select
    observed.*,
    {{ properties }}.wide_column
from {{ observations }} as observed
inner join {{ properties }} on observed.observed_property = {{ properties }}.code
where observed.station_key is not null
qualify
    row_number() over (
        partition by
            observed.station_key,
            observed.phenomenon_start_at,
            observed.phenomenon_end_at,
            observed.observed_property
        order by
            observed.value is null,
            observed.quality_code = 'suspect',
            observed.datastream_id
    ) = 1
{%- endmacro %}
