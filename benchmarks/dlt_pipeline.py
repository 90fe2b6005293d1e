"""The same customers by dlt, as its documentation says: `rest_api` and a merge.

It runs in an environment of its own, `.venv-dlt`.
"""

from __future__ import annotations

import sys

import dlt
from dlt.sources.helpers.rest_client.auth import HttpBasicAuth
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator
from dlt.sources.rest_api import rest_api_source


def main(url: str, api_key: str, database: str, folder: str, how: str) -> None:
    """Load every customer.

    Args:
        url: The base URL of the API.
        api_key: The API key.
        database: URL of the database.
        folder: Where it keeps what it remembers.
        how: Its write disposition: `merge`, or `replace`, after which customers who
            have gone are no longer in the table.
    """
    source = rest_api_source(
        {
            "client": {
                "base_url": url,
                "auth": HttpBasicAuth(api_key, ""),
                "paginator": JSONResponseCursorPaginator(
                    cursor_path="cursor",
                    cursor_param="cursor",
                    has_more_path="has_more",
                ),
            },
            "resources": [
                {
                    "name": "customers",
                    "primary_key": "uuid",
                    "write_disposition": how,
                    "endpoint": {
                        "path": "customers",
                        "params": {"per_page": 200},
                        "data_selector": "entries",
                    },
                }
            ],
        }
    )
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=folder,
        destination=dlt.destinations.postgres(credentials=database),
        dataset_name="bench",
    )
    # One table, and objects and lists in it as JSON: what the tap's target makes, and
    # twice as fast as tables for each list.
    source.max_table_nesting = 0
    pipeline.run(source).raise_on_failed_jobs()


if __name__ == "__main__":
    main(*sys.argv[1:])
