{#- Publishing replaces the affected days: a row of any other day would be there twice afterwards. -#}
{% test within_affected_days(model) %}
select distinct day
from {{ model }}
where day not in (select affected.day from {{ ref('stg_affected_day') }} as affected)
{% endtest %}
