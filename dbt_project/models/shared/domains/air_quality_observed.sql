{{ wide_observations('air_quality_observed', [
    'no2_ug_m3',
    'no_ug_m3',
    'nox_ug_m3',
    'o3_ug_m3',
    'so2_ug_m3',
    'pm10_ug_m3',
    'pm2_5_ug_m3',
    'pm1_ug_m3',
    'co_mg_m3',
    'co2_ppm',
    'nh3_ug_m3',
    'c6h6_ug_m3',
]) }}
