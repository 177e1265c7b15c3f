{{ wide_observations('noise_level_observed', [
    'laeq_dba',
    'lamax_dba',
    'las_dba',
    'laeq_day_dba',
]) }}
