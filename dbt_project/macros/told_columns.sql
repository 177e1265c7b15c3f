{#-
    Written by `make models` from civitas_assets/records; change it there.

    What is told of things, besides their keys and where they are.
-#}
{% macro told_columns(record_type) -%}
{{ return({
    'station': [
        'name', 'description', 'elevation_m', 'operator'
    ],
    'datastream': [
        'station_id', 'name', 'description', 'observed_property_native', 'unit_native', 'sensor',
        'interval_s'
    ],
    'parking_site': [
        'name', 'purpose', 'site_type', 'site_type_native', 'capacity', 'capacity_disabled',
        'max_height_cm', 'has_fee', 'is_park_and_ride', 'address', 'operator', 'opening_hours'
    ],
    'sharing_station': [
        'name', 'address', 'capacity', 'is_virtual'
    ],
    'charge_point': [
        'evse_id', 'installation_id', 'name', 'operator', 'points', 'power_kw', 'current_type',
        'current_type_native', 'plug_types', 'commissioned_on', 'register_status',
        'register_status_native', 'street', 'house_number', 'postcode', 'city', 'opening_hours',
        'payment'
    ],
    'place': [
        'category', 'name', 'description', 'address', 'postcode', 'city', 'operator',
        'opening_hours', 'website', 'attributes'
    ],
    'area_feature': [
        'feature_class', 'name', 'description', 'valid_from', 'valid_to', 'attributes'
    ],
    'event': [
        'event_type', 'event_type_native', 'title', 'description', 'start_at', 'end_at', 'severity',
        'severity_native', 'status', 'status_native', 'place_name', 'website', 'changed_at'
    ],
    'transit_stop': [
        'name', 'code', 'description', 'platform', 'stop_type', 'parent_stop_id',
        'is_wheelchair_accessible', 'fare_zone'
    ],
    'transit_route': [
        'short_name', 'long_name', 'description', 'mode', 'mode_native', 'operator', 'color',
        'text_color'
    ],
    'council_paper': [
        'reference', 'title', 'paper_type', 'dated_on', 'place_name', 'file_url', 'website',
        'created_at', 'changed_at', 'is_withdrawn'
    ],
    'energy_unit': [
        'name', 'operator', 'operator_type', 'energy_carrier', 'energy_carrier_native',
        'technology', 'siting', 'gross_power_kw', 'net_power_kw', 'storage_kwh', 'modules',
        'status', 'status_native', 'registered_on', 'planned_on', 'commissioned_on',
        'decommissioned_on', 'feed_in', 'is_checked', 'municipality_id', 'street', 'house_number',
        'postcode', 'city', 'changed_at'
    ],
    'tree': [
        'tree_number', 'species', 'species_common', 'genus', 'cultivar', 'planted_year', 'height_m',
        'height_class', 'crown_diameter_m', 'crown_diameter_class', 'trunk_circumference_cm',
        'trunk_circumference_class', 'trunk_diameter_cm', 'trunk_diameter_class', 'stems',
        'location_type', 'location_type_native', 'street', 'house_number', 'district', 'operator',
        'felled_on', 'attributes'
    ],
}[record_type]) }}
{%- endmacro %}
