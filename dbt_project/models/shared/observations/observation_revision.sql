with final as (
    select
        tenant,
        datastream_key,
        station_key,
        datastream_id,
        station_id,
        observed_property,
        phenomenon_start_at,
        phenomenon_end_at,
        day,
        revision,
        previous_revision,
        value,
        previous_value,
        unit,
        value_text,
        previous_value_text,
        received_at,
        previous_received_at,
        source,
        run_id
    from {{ ref('int_observation_correction') }}
)

select * from final
