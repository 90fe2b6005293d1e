with versions as (
    select
        *,
        row_number() over by_time as version,
        lag(status) over by_time as status_before,
        lag(mrr_cents) over by_time as mrr_cents_before,
        lead(dbt_valid_from) over by_time as next_valid_from
    from {{ ref('customers_snapshot') }}
    -- Two builds after one load leave such a version, if the columns that are tracked changed between them.
    where dbt_valid_from is distinct from dbt_valid_to
    window by_time as (partition by uuid order by dbt_valid_from)
)

select
    uuid,
    version,
    dbt_valid_from as valid_from,
    dbt_valid_to as valid_to,
    cast(dbt_valid_from as date) as first_day,
    cast(dbt_valid_to as date) as end_day,
    dbt_valid_to is null as is_current,
    -- Nothing follows at once: the customer had gone, for good or for a while.
    dbt_valid_to is not null and coalesce(next_valid_from > dbt_valid_to, true) as is_deleted_after,
    status,
    status_before,
    customer_since,
    {% if 'owner' in var('personal_columns') %}
        owner,
    {% endif %}
    {% for column in var('attribute_columns') %}
        {{ column }},
    {% endfor %}
    currency,
    mrr_cents,
    cast(mrr_cents / 100.0 as decimal(18, 2)) as mrr,
    cast(mrr_cents_before / 100.0 as decimal(18, 2)) as mrr_before
from versions
