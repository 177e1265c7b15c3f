with identified as (
    {{ identified(ref('stg_charge_point_status')) }}
),

received_last as (
    select * from identified
    qualify
        row_number() over (
            partition by id_space, charge_point_id, observed_at
            order by received_at desc, source asc
        ) = 1
),

final as (
    select
        tenant,
        {{ shared_key('charge_point_id') }} as charge_point_key,
        charge_point_id,
        observed_at,
        day,
        status,
        status_native,
        points_available,
        case
            when status is null and points_available is null then 'missing'
            else 'good'
        end as quality_code,
        revision,
        received_at,
        source,
        run_id
    from received_last
)

select * from final
