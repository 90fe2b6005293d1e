-- Ten questions to the table that Meltano and target-postgres make, `tap_chartmogul_customers.customers`. In the project that
-- README makes, with TAP=~/tap-chartmogul-customers, the clone:
-- psql "$(sed -n 's/^TARGET_POSTGRES_SQLALCHEMY_URL=//p' .env)" -f "$TAP/examples/queries.sql"
--
-- Without `hard_delete`, the target only marks the rows of deleted customers. `_sdc_deleted_at IS NULL` leaves them out.
-- `mrr` and `arr` are in cents of `currency`; times are in UTC. ChartMogul converts an account's revenue to the account's one
-- currency. Sums are by currency nevertheless, so that they are right for a table of several accounts too.

-- 1. How much recurring revenue comes from customers in each status?
SELECT status, count(*) AS customers, round(sum(mrr) / 100.0, 2) AS mrr, currency
FROM tap_chartmogul_customers.customers
WHERE _sdc_deleted_at IS NULL
GROUP BY status, currency
ORDER BY mrr DESC NULLS LAST;

-- 2. In which countries are the paying customers?
SELECT coalesce(nullif(country, ''), 'unknown') AS country, count(*) AS customers, round(sum(mrr) / 100.0, 2) AS mrr, currency
FROM tap_chartmogul_customers.customers
WHERE _sdc_deleted_at IS NULL AND status = 'Active'
GROUP BY 1, currency
ORDER BY mrr DESC NULLS LAST;

-- 3. How many customers started paying in each month?
SELECT date_trunc('month', customer_since)::date AS month, count(*) AS new_customers
FROM tap_chartmogul_customers.customers
WHERE _sdc_deleted_at IS NULL AND customer_since IS NOT NULL
GROUP BY 1
ORDER BY 1;

-- 4. What is revenue by a custom attribute, here the sales representative?
SELECT attributes #>> '{custom,salesRep}' AS sales_rep, count(*) AS customers, round(sum(mrr) / 100.0, 2) AS mrr, currency
FROM tap_chartmogul_customers.customers
WHERE _sdc_deleted_at IS NULL AND attributes -> 'custom' ? 'salesRep'
GROUP BY 1, currency
ORDER BY mrr DESC NULLS LAST;

-- 5. Which campaigns pay for themselves: revenue a year against the cost of acquisition?
SELECT
    attributes #>> '{custom,utmCampaign}' AS campaign,
    round(sum(arr) / 100.0, 2) AS arr,
    sum((attributes #>> '{custom,CAC}')::numeric) AS cost,
    currency
FROM tap_chartmogul_customers.customers
WHERE _sdc_deleted_at IS NULL AND jsonb_typeof(attributes #> '{custom,CAC}') = 'number'
GROUP BY 1, currency
ORDER BY 1;

-- 6. How long does it take from a lead to a paying customer?
SELECT
    date_trunc('quarter', lead_created_at)::date AS quarter,
    count(*) AS leads,
    count(customer_since) AS paying,
    avg(customer_since - lead_created_at) FILTER (WHERE customer_since >= lead_created_at) AS time_to_pay
FROM tap_chartmogul_customers.customers
WHERE _sdc_deleted_at IS NULL AND lead_created_at IS NOT NULL
GROUP BY 1
ORDER BY 1;

-- 7. How many free trials became customers?
SELECT
    date_trunc('month', free_trial_started_at)::date AS month,
    count(*) AS trials,
    round(100.0 * count(customer_since) / count(*), 1) AS percent_paying
FROM tap_chartmogul_customers.customers
WHERE _sdc_deleted_at IS NULL AND free_trial_started_at IS NOT NULL
GROUP BY 1
ORDER BY 1;

-- 8. Which tags do the customers have, and what are they worth?
SELECT tag, count(*) AS customers, round(sum(mrr) / 100.0, 2) AS mrr, currency
FROM tap_chartmogul_customers.customers, jsonb_array_elements_text(attributes -> 'tags') AS tag
WHERE _sdc_deleted_at IS NULL AND jsonb_typeof(attributes -> 'tags') = 'array'
GROUP BY tag, currency
ORDER BY customers DESC, tag;

-- 9. Who are the twenty largest customers, and what share of all revenue is theirs?
SELECT
    name,
    round(mrr / 100.0, 2) AS mrr,
    currency,
    round(100.0 * mrr / nullif(sum(mrr) OVER (PARTITION BY currency), 0), 2) AS percent_of_all,
    chartmogul_url
FROM tap_chartmogul_customers.customers
WHERE _sdc_deleted_at IS NULL
ORDER BY customers.mrr DESC NULLS LAST
LIMIT 20;

-- 10. Which e-mail addresses belong to several customers, who should perhaps be merged?
SELECT lower(email) AS email, count(*) AS customers, array_agg(uuid ORDER BY uuid) AS uuids
FROM tap_chartmogul_customers.customers
WHERE _sdc_deleted_at IS NULL AND email <> ''
GROUP BY 1
HAVING count(*) > 1
ORDER BY customers DESC, email;
