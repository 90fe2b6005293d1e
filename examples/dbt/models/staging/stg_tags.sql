{{ tags_of(source('chartmogul', 'customers')) }}
