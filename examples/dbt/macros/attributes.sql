{# The text of one value in `attributes`, by the path to it: ['custom', 'plan']. #}
{% macro attribute(path) -%}
    attributes
    {%- for key in path %} {{ '->>' if loop.last else '->' }} '{{ key | replace("'", "''") }}'{% endfor %}
{%- endmacro %}


{# A query for the tags of every customer. #}
{% macro tags_of(relation) -%}
    {{ adapter.dispatch('tags_of')(relation) }}
{%- endmacro %}

{% macro postgres__tags_of(relation) -%}
    select uuid, jsonb_array_elements_text(attributes -> 'tags') as tag from {{ relation }}
    where _sdc_deleted_at is null and jsonb_typeof(attributes -> 'tags') = 'array'
{%- endmacro %}

{% macro duckdb__tags_of(relation) -%}
    select uuid, unnest(json_extract_string(attributes, '$.tags[*]')) as tag from {{ relation }}
    where _sdc_deleted_at is null
{%- endmacro %}


{# A query for the custom attributes of every customer: key and value, as text. #}
{% macro custom_attributes_of(relation) -%}
    {{ adapter.dispatch('custom_attributes_of')(relation) }}
{%- endmacro %}

{% macro postgres__custom_attributes_of(relation) -%}
    select customers.uuid, custom.key, custom.value
    from {{ relation }} as customers
    cross join lateral jsonb_each_text(
        case when jsonb_typeof(customers.attributes -> 'custom') = 'object'
        then customers.attributes -> 'custom' end
    ) as custom
    where customers._sdc_deleted_at is null
{%- endmacro %}

{% macro duckdb__custom_attributes_of(relation) -%}
    select uuid, key, (attributes -> 'custom' ->> key) as value
    from (select uuid, attributes, unnest(json_keys(attributes, '$.custom')) as key from {{ relation }} where _sdc_deleted_at is null)
{%- endmacro %}
