{{ config(enabled='attributes' in var('personal_columns')) }}

{{ tags_of(source('chartmogul', 'customers')) }}
