{{ wide_observations('water_observed', [
    'level_cm',
    'discharge_m3_s',
    'temperature_cel',
    'flow_velocity_m_s',
    'ph',
    'conductivity_us_cm',
    'dissolved_oxygen_mg_l',
    'turbidity_ntu',
    'nitrate_mg_l',
    'groundwater_level_m',
]) }}
