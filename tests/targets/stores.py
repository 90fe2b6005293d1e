"""Targets that write files, into a folder or on S3, as data."""

from __future__ import annotations

from tests.targets import s3
from tests.targets.common import (
    FLOATS,
    MELTANO,
    NO_PROPERTIES,
    NO_VERSION,
    OLD_PYTHON,
    ON_OLD_PYTHON,
)
from tests.targets.comparison import ROUNDED
from tests.targets.places import (
    csv_rows,
    files,
    json_lines,
    objects,
    printed_by,
    singer_records,
)
from tests.targets.target import FLAT, VENVS, Fault, Settings, Target

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


def on_s3(address: str, bucket: str) -> Settings:
    """Tell a target where to write."""
    return {"aws_endpoint_url": address, "s3_bucket": bucket, **s3.KEYS}


STORES = (
    Target(
        name="jsonl",
        package="target-jsonl",
        program="target-jsonl",
        venv=MELTANO / "target-jsonl/venv",
        place=files(json_lines, lambda path: {"destination_path": str(path)}),
        settings={"do_timestamp_file": False},
    ),
    Target(
        name="csv",
        package="meltanolabs-target-csv",
        program="target-csv",
        place=files(csv_rows, lambda path: {"output_path": str(path)}),
    ),
    Target(
        name="singer-csv",
        package="target-csv",
        program="target-csv",
        prefix=OLD_PYTHON,
        place=files(csv_rows, lambda path: {"destination_path": str(path)}),
        settings={"disable_collection": True},
        tap=FLAT,
        notes=ON_OLD_PYTHON,
        faults=(
            Fault(
                "is missing",
                "Its columns are those of the first customer, whatever others have.",
            ),
            Fault("is wrong", "What has other keys is shifted."),
            FLOATS,
        ),
    ),
    Target(
        name="avro",
        package="target-avro",
        program="target-avro",
        place=files(
            printed_by(VENVS / "avro/bin/python", AVRO_ROWS),
            lambda path: {"prefix": f"{path}/"},
        ),
        settings={"disable_collection": True},
        tap=FLAT,
        faults=(
            NO_PROPERTIES,
            NO_VERSION,
            FLOATS,
        ),
    ),
    Target(
        name="parquet",
        package="target-parquet",
        program="target-parquet",
        prefix=OLD_PYTHON,
        place=files(
            printed_by(VENVS / "parquet/bin/python", PARQUET_ROWS),
            lambda path: {"destination_path": str(path)},
        ),
        settings={"disable_collection": True},
        tap=FLAT,
        notes=ON_OLD_PYTHON,
        faults=(
            Fault(
                "Python int too large to convert to C long",
                "It makes a column of every key of every object, and its integers have "
                "64 bits.",
            ),
            FLOATS,
        ),
    ),
    Target(
        name="universal-file",
        package="target-universal-file",
        program="target-universal-file",
        place=files(csv_rows, lambda path: {"path": str(path)}),
        settings={"protocol": "local", "file_type": "csv"},
        notes="Its other kinds of file end with an error, flattened or not: `jsonl` "
        "and `xlsx` at the first date, `parquet` at columns that may be null.",
    ),
    Target(
        name="singer-jsonl",
        package="target-singer-jsonl",
        program="target-singer-jsonl",
        place=files(
            singer_records,
            lambda path: {"local": {"folder": str(path)}},
        ),
        settings={"destination": "local"},
        faults=(
            FLOATS,
            NO_VERSION,
        ),
    ),
    Target(
        name="s3-jsonl",
        package="target-s3-jsonl",
        program="target-s3-jsonl",
        place=objects(
            json_lines,
            on_s3,
        ),
        faults=(FLOATS,),
        notes="Into a bucket that isn't there it writes nothing, and exits with 0.",
    ),
    Target(
        name="pipelinewise-s3-csv",
        package="pipelinewise-target-s3-csv",
        program="target-s3-csv",
        place=objects(
            csv_rows,
            on_s3,
        ),
        tap=FLAT,
        faults=(
            Fault(
                "Object of type Decimal is not JSON serializable",
                "It can't write a list that has a decimal in it.",
            ),
        ),
    ),
    Target(
        name="s3-parquet",
        package="plinxore-target-s3",
        program="target-s3",
        place=objects(
            printed_by(VENVS / "s3-parquet/bin/python", PARQUET_ROWS),
            lambda address, bucket: {
                "cloud_provider": {
                    "cloud_provider_type": "aws",
                    "aws": {
                        "aws_endpoint_override": address,
                        "aws_bucket": bucket,
                        "aws_region": s3.REGION,
                        **s3.KEYS,
                    },
                },
            },
        ),
        settings={"format": {"format_type": "parquet"}, "prefix": "lake"},
        tap=FLAT,
        faults=(
            Fault(
                "with type list: tried to convert to double",
                "It takes a key of several types for a number, but it may be a list.",
            ),
            Fault(ROUNDED, "It keeps numbers as floats."),
        ),
    ),
    Target(
        name="map-transform",
        package="meltano-map-transform",
        program="target-jsonl",
        venv=MELTANO / "target-jsonl/venv",
        mapper=(
            VENVS / "map-transform/bin/meltano-map-transform",
            {"stream_maps": {"customers": {"company": "company"}}},
        ),
        place=files(json_lines, lambda path: {"destination_path": str(path)}),
        settings={"do_timestamp_file": False},
    ),
)
