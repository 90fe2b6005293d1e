select
    uuid,
    status,
    customer_since,
    {% if 'owner' in var('personal_columns') %}
        owner,
    {% endif %}
    {% for column in var('attribute_columns') %}
        {{ column }},
    {% endfor %}
    currency,
    mrr_cents
from {{ ref('stg_customers') }}
