-- What each version of a customer adds to a currency's MRR on its first day, and takes away on the day on which it
-- ends. The movements of a customer between two days are the sums of these, so they add up whatever happens.
with changes as (
    select
        uuid,
        currency,
        first_day as day,
        mrr_cents
    from {{ ref('customer_history') }}
    union all
    select
        uuid,
        currency,
        end_day as day,
        -mrr_cents as mrr_cents
    from {{ ref('customer_history') }}
    where end_day is not null
),

changes_by_day as (
    select
        uuid,
        currency,
        day,
        cast(sum(mrr_cents) as bigint) as amount_cents
    from changes
    group by uuid, currency, day
),

balances as (
    select
        *,
        cast(sum(amount_cents) over (partition by uuid, currency order by day) as bigint) as after_cents
    from changes_by_day
),

-- Since when a customer is known to have paid at any time.
payers as (
    select
        uuid,
        min(first_day) as first_day
    from {{ ref('customer_history') }}
    where mrr_cents > 0 or customer_since is not null
    group by uuid
)

select
    balances.day,
    balances.uuid,
    balances.currency,
    case
        when balances.after_cents = 0 then 'churn'
        when balances.amount_cents < 0 then 'contraction'
        when balances.amount_cents < balances.after_cents then 'expansion'
        when payers.first_day < balances.day then 'reactivation'
        else 'new'
    end as movement,
    balances.amount_cents,
    cast(balances.amount_cents / 100.0 as decimal(18, 2)) as amount,
    cast(balances.after_cents / 100.0 as decimal(18, 2)) as mrr_after
from balances
left join payers on balances.uuid = payers.uuid
where
    balances.amount_cents != 0
    -- On the first day of all there is nothing yet to move from.
    and balances.day > (select min(history.first_day) from {{ ref('customer_history') }} as history)
