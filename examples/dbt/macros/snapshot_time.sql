{#
  The time from which a snapshot takes a change to be so: when the customers were read, rather than when
  dbt runs. So a build that is late, or done again, writes the same history.
  dbt asks for it in this macro's place, whatever the database.
#}
{% macro default__snapshot_get_time() -%}
    {%- if var('as_of') -%}
        cast('{{ var("as_of") }}' as timestamp)
    {%- else -%}
        (select max(customers._sdc_extracted_at) from {{ source('chartmogul', 'customers') }} as customers)
    {%- endif -%}
{%- endmacro %}
