{{ config(enabled='attributes' in var('personal_columns')) }}

{{ custom_attributes_of(source('chartmogul', 'customers')) }}
