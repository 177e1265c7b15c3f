{#-
    An EVSE id by the rules of eMI3, with its separators: country, operator and, after the letter E, the point.

    Publishers leave the separators out, write blanks or small letters; what has another build is no such id.
-#}
{% macro normal_evse_id(text) -%}
regexp_replace(
    nullif(
        regexp_extract(upper(replace({{ text }}, ' ', '')), '^[A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9][A-Z0-9*]{0,30}$'), ''
    ),
    '^([A-Z]{2})\*?([A-Z0-9]{3})\*?E',
    '\1*\2*E'
)
{%- endmacro %}
