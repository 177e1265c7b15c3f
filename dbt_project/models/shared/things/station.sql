{{ current_versions(ref('station_history')) }}
