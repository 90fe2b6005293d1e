"""Targets that write files, into a folder or on S3, as data."""

from __future__ import annotations

from functools import partial

from tests.targets.comparison import ROUNDED
from tests.targets.places import (
    csv_rows,
    files,
    json_lines,
    objects,
    printed,
    singer_records,
)
from tests.targets.target import (
    FLAT,
    FLOATS,
    NO_VERSION,
    UNCHECKED,
    Settings,
    Target,
    loader,
    venv,
)

AVRO_ROWS = """
import json, sys, fastavro
for row in fastavro.reader(open(sys.argv[1], "rb")):
    print(json.dumps(row, default=str))
"""
PARQUET_ROWS = """
import json, sys
from pyarrow import parquet
for row in parquet.read_table(sys.argv[1]).to_pylist():
    print(json.dumps(row, default=str))
"""
TRANSFORM = """
import json, sys, singer
messages = [singer.parse_message(line) for line in sys.stdin]
schema = next(m.schema for m in messages if isinstance(m, singer.SchemaMessage))
with open("written/rows.jsonl", "a") as rows, singer.Transformer() as transformer:
    for message in messages:
        if isinstance(message, singer.RecordMessage):
            row = transformer.transform(message.record, schema)
            print(json.dumps(row, default=str), file=rows)
"""

INTO_JSONL = f'"$@" | (cd written && {loader("jsonl")}/bin/target-jsonl)'
"""How the shell runs a mapper."""

KEYS = {"aws_access_key_id": "key", "aws_secret_access_key": "secret"}


def on_s3(address: str, bucket: str) -> Settings:
    """Tell a target where to write."""
    return {"aws_endpoint_url": address, "s3_bucket": bucket, **KEYS}


STORES = (
    Target(
        name="jsonl",
        package="target-jsonl",
        program="target-jsonl",
        venv=loader("jsonl"),
        place=files(json_lines, lambda path: {"destination_path": str(path)}),
        settings={"do_timestamp_file": False},
    ),
    Target(
        name="csv",
        package="meltanolabs-target-csv",
        venv=venv("csv"),
        program="target-csv",
        place=files(csv_rows, lambda path: {"output_path": str(path)}),
        settings=UNCHECKED,
    ),
    Target(
        name="avro",
        package="target-avro",
        venv=venv("avro"),
        program="target-avro",
        place=files(
            partial(printed, venv("avro"), AVRO_ROWS),
            lambda path: {"prefix": f"{path}/"},
        ),
        settings={"disable_collection": True},
        tap=FLAT,
        faults={
            "KeyError: 'properties'": "It takes no object whose keys the schema "
            "doesn't name.",
            **NO_VERSION,
            **FLOATS,
        },
    ),
    Target(
        name="universal-file",
        package="target-universal-file",
        venv=venv("universal-file"),
        program="target-universal-file",
        place=files(csv_rows, lambda path: {"path": str(path)}),
        settings={"protocol": "local", "file_type": "csv", **UNCHECKED},
        notes="Its other kinds of file end with an error, flattened or not: `jsonl` "
        "and `xlsx` at the first date, `parquet` at columns that may be null.",
    ),
    Target(
        name="singer-jsonl",
        package="target-singer-jsonl",
        venv=venv("singer-jsonl"),
        program="target-singer-jsonl",
        place=files(singer_records, lambda path: {"local": {"folder": str(path)}}),
        settings={"destination": "local"},
        faults=FLOATS | NO_VERSION,
    ),
    Target(
        name="s3-jsonl",
        package="target-s3-jsonl",
        venv=venv("singer-jsonl"),
        program="target-s3-jsonl",
        place=objects(json_lines, on_s3),
        faults=FLOATS,
        notes="Into a bucket that isn't there it writes nothing, and exits with 0.",
    ),
    Target(
        name="pipelinewise-s3-csv",
        package="pipelinewise-target-s3-csv",
        venv=venv("pipelinewise"),
        program="target-s3-csv",
        place=objects(csv_rows, on_s3),
        tap=FLAT,
        faults={
            "Object of type Decimal is not JSON serializable": "It can't write a list "
            "that has a decimal in it."
        },
    ),
    Target(
        name="s3-parquet",
        package="plinxore-target-s3",
        venv=venv("s3-parquet"),
        program="target-s3",
        place=objects(
            partial(printed, venv("s3-parquet"), PARQUET_ROWS),
            lambda address, bucket: {
                "cloud_provider": {
                    "cloud_provider_type": "aws",
                    "aws": {
                        "aws_endpoint_override": address,
                        "aws_bucket": bucket,
                        "aws_region": "us-east-1",
                        **KEYS,
                    },
                },
            },
        ),
        settings={"format": {"format_type": "parquet"}, "prefix": "lake"},
        tap=FLAT,
        faults={
            "'NoneType' object has no attribute 'items'": "It takes no object whose "
            "keys the schema doesn't name.",
            ROUNDED: "It keeps numbers as floats.",
        },
    ),
    Target(
        name="map-transform",
        package="meltano-map-transform",
        venv=venv("csv"),
        program="meltano-map-transform",
        place=files(json_lines, lambda _: {}),
        settings={"stream_maps": {"customers": {"company": "company"}}},
        run=INTO_JSONL,
    ),
    Target(
        name="transform-field",
        package="pipelinewise-transform-field",
        venv=venv("pipelinewise"),
        program="transform-field",
        place=files(json_lines, lambda _: {}),
        settings={"transformations": []},
        run=INTO_JSONL,
    ),
    Target(
        name="singer-check-tap",
        package="singer-tools",
        venv=venv("singer-tools"),
        program="singer-check-tap",
        place=files(singer_records, lambda _: {}),
        # It checks what it reads, and keeps nothing.
        run='tee -a written/messages.jsonl | "$@"',
    ),
    Target(
        name="singer-transformer",
        package="singer-python",
        venv=venv("singer-tools"),
        program="python",
        place=files(json_lines, lambda _: {}),
        run=f"python -c '{TRANSFORM}'",
        faults={
            "is wrong": "It makes false of a boolean that is null.",
            ROUNDED: "It makes floats of what is typed `number`.",
        },
    ),
)
