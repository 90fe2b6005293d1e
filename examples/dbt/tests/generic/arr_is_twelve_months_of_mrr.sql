{% test arr_is_twelve_months_of_mrr(model) %}
    select uuid, mrr, arr from {{ model }}
    where arr is distinct from 12 * mrr
{% endtest %}
