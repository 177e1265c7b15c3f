{#- A position is a pair of degrees, or there is none. -#}
{% test on_earth(model) %}
select
    lon,
    lat
from {{ model }}
where
    lon not between -180 and 180
    or lat not between -90 and 90
    or (lon is null) <> (lat is null)
{% endtest %}
