{#-
    A row of a day that is not affected would be there twice after publishing, which replaces the affected days.

    A model that makes such rows is wrong by its SQL, so this is tested before a release; publishing refuses them anyway.
-#}
{% test within_affected_days(model) %}
{{ config(tags=['project']) }}
select distinct day
from {{ model }}
where day not in (select affected.day from {{ ref('stg_affected_day') }} as affected)
{% endtest %}
