{#-
    The hour of UTC that an instant is in, also before 1970. `date_trunc` and sums with intervals ask a calendar for each
    row, which takes fifteen times as long.
-#}
{% macro hour_of(instant) -%}
make_timestamptz(
    epoch_us({{ instant }}) - (epoch_us({{ instant }}) % 3600000000 + 3600000000) % 3600000000
)
{%- endmacro %}

{#- Whether an instant is at most so many seconds after another. -#}
{% macro is_within(instant, other, seconds) -%}
epoch_us({{ instant }}) <= epoch_us({{ other }}) + {{ seconds * 1000000 }}
{%- endmacro %}
