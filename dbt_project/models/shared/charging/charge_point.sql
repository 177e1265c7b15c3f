{{ current_versions(ref('charge_point_history')) }}
