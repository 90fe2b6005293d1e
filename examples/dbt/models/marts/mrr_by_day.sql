-- A version counts on every day at whose end it holds. So it adds itself on its first day, and takes itself away on
-- the day on which it ends; what a day has is the sum of all that came until then.
with recursive changes as (
    select
        first_day as day,
        status,
        currency,
        1 as customers,
        mrr_cents
    from {{ ref('customer_history') }}
    union all
    select
        end_day as day,
        status,
        currency,
        -1 as customers,
        -mrr_cents as mrr_cents
    from {{ ref('customer_history') }}
    where end_day is not null
),

-- To the day of the last read: nothing is known of a later one.
days as (
    select
        min(day) as day,
        cast({{ snapshot_get_time() }} as date) as last_day
    from changes
    union all
    select
        cast(day + interval '1 day' as date) as day,
        last_day
    from days
    where day < last_day
),

kinds as (
    select distinct
        status,
        currency
    from changes
),

changes_by_day as (
    select
        day,
        status,
        currency,
        sum(customers) as customers,
        sum(mrr_cents) as mrr_cents
    from changes
    group by day, status, currency
),

totals as (
    select
        days.day,
        kinds.status,
        kinds.currency,
        sum(changes_by_day.customers) over until_then as customers,
        sum(changes_by_day.mrr_cents) over until_then as mrr_cents
    from days
    cross join kinds
    left join changes_by_day
        on
            days.day = changes_by_day.day
            and kinds.status is not distinct from changes_by_day.status
            and kinds.currency is not distinct from changes_by_day.currency
    window until_then as (partition by kinds.status, kinds.currency order by days.day)
)

select
    day,
    status,
    currency,
    cast(customers as bigint) as customers,
    cast(mrr_cents as bigint) as mrr_cents,
    cast(mrr_cents / 100.0 as decimal(18, 2)) as mrr
from totals
where customers > 0
