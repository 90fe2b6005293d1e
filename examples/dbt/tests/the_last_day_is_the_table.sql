-- The last day of the history says what the table of customers says.
with both_sides as (
    select
        status,
        currency,
        customers,
        mrr_cents
    from {{ ref('mrr_by_day') }}
    where day = cast({{ snapshot_get_time() }} as date)
    union all
    select
        status,
        currency,
        -1 as customers,
        -mrr_cents as mrr_cents
    from {{ ref('stg_customers') }}
)

select
    status,
    currency,
    sum(customers) as customers,
    sum(mrr_cents) as mrr_cents
from both_sides
group by status, currency
having sum(customers) != 0 or sum(mrr_cents) != 0
