{#- The columns of `address` are there by themselves, and what is in `attributes` comes apart below. -#}
{%- set personal = var('personal_columns') | reject('in', ['external_ids', 'address', 'attributes']) | list -%}

select
    uuid,
    id,
    nullif(data_source_uuid, '') as data_source_uuid,
    nullif(billing_system_type, '') as billing_system_type,
    nullif(status, '') as status,
    customer_since,
    lead_created_at,
    free_trial_started_at,
    nullif(country, '') as country,
    {% for column in personal %}
        nullif({{ column }}, '') as {{ column }},
    {% endfor %}
    {% for column, path in var('attribute_columns').items() %}
        {{ attribute(path) }} as {{ column }},
    {% endfor %}
    nullif(currency, '') as currency,
    cast(coalesce(mrr, 0) as bigint) as mrr_cents,
    cast(coalesce(mrr, 0) / 100.0 as decimal(18, 2)) as mrr,
    cast(coalesce(arr, 0) / 100.0 as decimal(18, 2)) as arr,
    _sdc_extracted_at as read_at
from {{ source('chartmogul', 'customers') }}
-- Set by a loader that marks rows rather than deletes them.
where _sdc_deleted_at is null
