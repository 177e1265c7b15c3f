{#-
    A native spelling without regard to case, blanks, powers written above the line and how umlauts, degrees and micro
    are written; an empty one is null. `catalog/spelling.py` does the same for people's questions.
-#}
{% macro spelling(column) -%}
{%- set alike = [
    ('⁰¹²³⁴⁵⁶⁷⁸⁹', '0123456789'), ('₀₁₂₃₄₅₆₇₈₉', '0123456789'), ('⁻−–', '---'), ('µμ', 'uu'),
    ('º˚∘', '°°°'), ('％', '%'), ('∕⁄', '//')
] -%}
{%- set expanded = {
    'ä': 'ae', 'ö': 'oe', 'ü': 'ue', 'ß': 'ss', '℃': '°c', '℉': '°f', '㎍': 'ug', '㎎': 'mg', '㎏': 'kg',
    '㎜': 'mm', '㎝': 'cm', '㎞': 'km', '㎡': 'm2', '㎥': 'm3', '㎧': 'm/s', '㎩': 'pa', '㎪': 'kpa',
    '㎷': 'mv', '㎽': 'mw', '㎾': 'kw', '㏈': 'db', '㏗': 'ph', '㏙': 'ppm'
} -%}
{#- Blanks of all widths, and signs of products and powers, which say nothing more than a blank does. -#}
{%- set left_out = "\t ^\u00a0\u00b7\u2007\u2009\u200b\u202f\u2219\u22c5\ufeff" -%}
{%- set steps = [] -%}
{%- for written, meant in expanded.items() -%}
{%- set _ = steps.append(".replace('" ~ written ~ "', '" ~ meant ~ "')") -%}
{%- endfor -%}
nullif(
    translate(
        lower(nfc_normalize({{ column }})){{ steps | join }},
        '{{ alike | map(attribute=0) | join }}{{ left_out }}',
        '{{ alike | map(attribute=1) | join }}'
    ),
    ''
)
{%- endmacro %}
