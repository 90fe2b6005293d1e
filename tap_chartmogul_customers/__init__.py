"""Singer tap for the customers of a ChartMogul account."""
