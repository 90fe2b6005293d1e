-- On each day, in each currency, the movements are what the total has changed by since the day before.
with totals as (
    select
        day,
        currency,
        mrr_cents
    from {{ ref('mrr_by_day') }}
    union all
    select
        cast(day + interval '1 day' as date) as day,
        currency,
        -mrr_cents as mrr_cents
    from {{ ref('mrr_by_day') }}
),

differences as (
    select
        day,
        currency,
        mrr_cents
    from totals
    where
        day > (select min(all_days.day) from {{ ref('mrr_by_day') }} as all_days)
        and day <= (select max(all_days.day) from {{ ref('mrr_by_day') }} as all_days)
    union all
    select
        day,
        currency,
        -amount_cents as mrr_cents
    from {{ ref('mrr_movements') }}
)

select
    day,
    currency,
    sum(mrr_cents) as difference
from differences
group by day, currency
having sum(mrr_cents) != 0
