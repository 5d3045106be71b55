"""Has DuckDB write a Delta table's rows once more and prints its bytes beside ours.

`python sizes.py TABLE`, with the packages that `main.rs` names, over any `lake/events`. DuckDB
writes each data file anew (rows in the same order: a comparison of encodings), and all of them
as one file, as they come and sorted. Compression is zstd at level 3 on both sides.
"""

import json
import os
import sys
import tempfile

import duckdb
import duckdb_extension_delta


def main(table):
    here = os.path.dirname(duckdb_extension_delta.__file__)
    connection = duckdb.connect()
    # The same result on any machine, and no more memory than a small one has.
    connection.execute("SET threads = 1; SET memory_limit = '4GB'")
    connection.execute(
        f"LOAD '{here}/extensions/v{duckdb.__version__}/delta.duckdb_extension'"
    )
    # The files in force, not those that a later version has replaced.
    scan = f"delta_scan('{table}', filename = true)"
    files = connection.execute(f"SELECT DISTINCT filename FROM {scan}").fetchall()
    files = sorted(name.removeprefix("file://") for (name,) in files)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.parquet")

        def written(rows):
            connection.execute(
                f"COPY (SELECT * FROM {rows}) TO '{out}' "
                "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 3)"
            )
            return os.path.getsize(out)

        def all_of(order):
            columns = "* EXCLUDE (received_day, bucket)"
            return written(f"(SELECT {columns} FROM delta_scan('{table}') {order})")

        parts = (f"read_parquet('{name}', hive_partitioning = false)" for name in files)
        answer = {
            "files": len(files),
            "bytes": sum(os.path.getsize(name) for name in files),
            "duckdb_same_files_bytes": sum(written(part) for part in parts),
            "duckdb_sorted_bytes": all_of("ORDER BY bucket, tenant, source, time"),
            "duckdb_one_file_bytes": all_of(""),
            "rows": connection.execute(f"SELECT count(*) FROM '{out}'").fetchone()[0],
        }
    print(json.dumps(answer))


main(sys.argv[1])
