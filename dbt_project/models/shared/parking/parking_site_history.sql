{{ thing_history('parking_site', 'site_id') }}
