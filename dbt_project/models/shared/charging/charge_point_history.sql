{{ thing_history('charge_point', 'charge_point_id', {'evse_id': normal_evse_id('evse_id')}) }}
