with merged as (
    {{ merged_descriptions(
        'area_feature', 'feature_id', {'valid_from': 'valid_from_on', 'valid_to': 'valid_to_on'}
    ) }}
),

final as (
    {{ with_last_seen('merged', 'area_feature', 'feature_id') }}
)

select * from final
