"""Makes a new data directory's tables those of an earlier release, which had fewer columns.

`python evolve.py LAKE`: from each table's first log entry, the one that creates it, goes every
column that no data file holds and that neither partitions nor statistics need. Prints
`{table: [columns]}`. The next process that opens the tables for writing adds the columns.
"""

import glob
import json
import os
import sys

import polars


def evolve(table):
    held = set()
    for path in glob.glob(f"{table}/received_day=*/*/*.parquet"):
        held.update(polars.read_parquet_schema(path))
    entry = f"{table}/_delta_log/{0:020}.json"
    with open(entry) as file:
        actions = [json.loads(line) for line in file]
    gone = []
    for action in actions:
        if metadata := action.get("metaData"):
            held.update(metadata["partitionColumns"])
            held.update(metadata["configuration"]["delta.dataSkippingStatsColumns"].split(","))
            schema = json.loads(metadata["schemaString"])
            gone = [f["name"] for f in schema["fields"] if f["name"] not in held]
            schema["fields"] = [f for f in schema["fields"] if f["name"] in held]
            metadata["schemaString"] = json.dumps(schema)
    with open(entry, "w") as file:
        file.writelines(json.dumps(action) + "\n" for action in actions)
    return gone


lake = sys.argv[1]
print(json.dumps({name: evolve(os.path.join(lake, name)) for name in sorted(os.listdir(lake))
                  if os.path.isdir(os.path.join(lake, name, "_delta_log"))}))
