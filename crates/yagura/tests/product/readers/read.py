"""Reads Delta tables with engines that nobody here wrote and prints what each answers.

`python read.py TABLES`: TABLES is JSON, `{name: {"path", "version", "sql"}}`. Each line of standard
input names an engine, which then reads all tables as they were at that version and prints one
line. The questions are the same for all; `<<` and `>>` stand around a moment, for which each engine
has its own way to microseconds since 1970: how it shows one depends on its time zone.
"""

import datetime
import json
import os
import sys


def with_duckdb(tables):
    import duckdb
    import duckdb_extension_delta

    here = os.path.dirname(duckdb_extension_delta.__file__)
    connection = duckdb.connect()
    connection.execute(
        f"LOAD '{here}/extensions/v{duckdb.__version__}/delta.duckdb_extension'"
    )
    for name, table in tables.items():
        scan = f"delta_scan('{table['path']}', version = {table['version']})"
        question = asked(table, "epoch_us(", ")").replace(f"FROM {name}", f"FROM {scan}")
        yield connection.execute(question).fetchone()


def with_polars(tables):
    import polars

    for name, table in tables.items():
        frame = polars.scan_delta(table["path"], version=table["version"])
        question = asked(table, "CAST(", " AS BIGINT)")
        yield polars.SQLContext({name: frame}).execute(question, eager=True).row(0)


def with_deltalake(tables):
    import deltalake

    for name, table in tables.items():
        opened = deltalake.DeltaTable(table["path"], version=table["version"])
        builder = deltalake.QueryBuilder().register(name, opened)
        answer = builder.execute(asked(table, "CAST(", " AS BIGINT)")).read_all()
        yield [answer.column(at)[0].as_py() for at in range(answer.num_columns)]


def with_chdb(tables):
    import chdb

    for name, table in tables.items():
        scan = f"deltaLakeLocal('{table['path']}')"
        question = asked(table, "toUnixTimestamp64Micro(", ")")
        question = question.replace(f"FROM {name}", f"FROM {scan}")
        question += f" SETTINGS delta_lake_snapshot_version = {table['version']}"
        yield json.loads(str(chdb.query(question, "JSONCompactEachRow")))


def with_daft(tables):
    import daft

    for name, table in tables.items():
        frame = daft.read_deltalake(table["path"], version=table["version"])
        answer = daft.sql(asked(table, "CAST(", " AS BIGINT)"), **{name: frame})
        yield [values[0] for values in answer.to_pydict().values()]


def with_pysail(tables):
    from pysail.spark import SparkConnectServer
    from pyspark.sql import SparkSession

    server = SparkConnectServer()
    server.start()
    host, port = server.listening_address
    spark = SparkSession.builder.remote(f"sc://{host}:{port}").getOrCreate()
    for name, table in tables.items():
        reader = spark.read.format("delta").option("versionAsOf", table["version"])
        reader.load(table["path"]).createOrReplaceTempView(name)
        yield list(spark.sql(asked(table, "unix_micros(", ")")).collect()[0])
    # In this order, or the server waits for its client for ever.
    spark.stop()
    server.stop()


def asked(table, before, after):
    return table["sql"].replace("<<", before).replace(">>", after)


def plain(value):
    """Numbers as numbers, also those that an engine has of another width; days as text."""
    return str(value) if isinstance(value, (str, datetime.date)) else int(value)


def main():
    tables = json.loads(sys.argv[1])
    for line in sys.stdin:
        engine = line.strip()
        answers = list(globals()[f"with_{engine}"](tables))
        told = {name: [plain(value) for value in row] for name, row in zip(tables, answers)}
        print(json.dumps({"reader": engine, "tables": told}), flush=True)


main()
