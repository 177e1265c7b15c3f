-- Every shared row takes its tenant from this table: a second tenant would multiply all rows.
select count(*) as tenants
from {{ ref('stg_tenant') }}
having count(*) > 1
