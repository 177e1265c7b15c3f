{{ current_versions(ref('parking_site_history')) }}
