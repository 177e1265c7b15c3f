{#- None of the numbers is negative; null is allowed. -#}
{% test not_negative(model, columns) %}
select {{ columns | join(', ') }}
from {{ model }}
where least({{ columns | join(', ') }}) < 0
{% endtest %}
