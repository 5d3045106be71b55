"""Reads a Delta table with engines that nobody here wrote and prints what each counts."""

import json
import os
import sys

import deltalake
import duckdb
import duckdb_extension_delta
import polars

SUMS = (
    "SELECT count(*) AS rows, count(DISTINCT event_id) AS ids, CAST(sum(lsn) AS BIGINT) AS lsns, "
    "count(src_ip) AS sources, count(DISTINCT class_uid) AS classes FROM {}"
)
NAMES = ["rows", "ids", "lsns", "sources", "classes"]


def with_duckdb(table):
    here = os.path.dirname(duckdb_extension_delta.__file__)
    version = f"v{duckdb.__version__}"
    connection = duckdb.connect()
    connection.execute(f"LOAD '{here}/extensions/{version}/delta.duckdb_extension'")
    return connection.execute(SUMS.format(f"delta_scan('{table}')")).fetchone()


def with_polars(table):
    frame = polars.read_delta(table)
    return (
        frame.height,
        frame["event_id"].n_unique(),
        frame["lsn"].sum(),
        frame["src_ip"].count(),
        frame["class_uid"].n_unique(),
    )


def with_deltalake(table):
    opened = deltalake.DeltaTable(table)
    builder = deltalake.QueryBuilder().register("events", opened)
    answer = builder.execute(SUMS.format("events")).read_all()
    return [answer.column(name)[0].as_py() for name in NAMES]


for name, read in [
    ("duckdb", with_duckdb),
    ("polars", with_polars),
    ("deltalake", with_deltalake),
]:
    counts = dict(zip(NAMES, (int(value) for value in read(sys.argv[1]))))
    print(json.dumps({"reader": name, **counts}))
