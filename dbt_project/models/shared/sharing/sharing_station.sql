{{ current_versions(ref('sharing_station_history')) }}
