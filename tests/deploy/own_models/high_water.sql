select
    tenant,
    day,
    max(level_cm) as level_cm,
    any_value(source) as source,
    any_value(run_id) as run_id
from {{ ref('water_observed') }}
group by tenant, day
