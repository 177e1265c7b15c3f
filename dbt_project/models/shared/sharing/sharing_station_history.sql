{{ thing_history('sharing_station', 'station_id') }}
