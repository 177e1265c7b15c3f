{#- Every value of the column is there in the other model; distinct values are compared, which is cheap. -#}
{% test refers_to(model, column_name, to, field) %}
select distinct {{ column_name }}
from {{ model }}
where
    {{ column_name }} is not null
    and {{ column_name }} not in (select {{ field }} from {{ to }} where {{ field }} is not null)
{% endtest %}
