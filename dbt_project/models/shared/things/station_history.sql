{{ thing_history('station', 'station_id') }}
