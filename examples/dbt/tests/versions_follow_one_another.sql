-- No version ends before it begins, or begins before the one before it has ended.
with versions as (
    select
        uuid,
        valid_from,
        valid_to,
        lead(valid_from) over (partition by uuid order by valid_from) as next_valid_from
    from {{ ref('customer_history') }}
)

select * from versions
where
    valid_to <= valid_from
    or next_valid_from < valid_to
    or (valid_to is null and next_valid_from is not null)
