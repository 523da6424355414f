#!/usr/bin/env python3
"""The pipeline as one would write it in Python, to stand beside ours: CatBoost, confluent-kafka, asyncpg, all in batches.

    python_pipeline.py replay FILE ROWS | score MODEL.cbm | sink       (bench/pipeline --compare PYTHON starts them)

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install catboost==1.2.8 \
        confluent-kafka==2.11.1 asyncpg==0.30.0 orjson==3.11.4

Same topics, messages, table and delivery (at least once, an id once in the table) as ours; brokers and database from
FRAUDTOP_BROKERS and FRAUDTOP_DATABASE.  It does less: no dead letters, no reasons, no positions in the database.
"""
import asyncio, csv, os, signal, sys, time

import asyncpg
import orjson
import pandas as pd
from catboost import CatBoostClassifier
from confluent_kafka import Consumer, Producer, TopicPartition

BROKERS = os.environ["FRAUDTOP_BROKERS"]
BATCH = 2000
stopping = False


def stop(*_):
    global stopping
    stopping = True


def producer():
    return Producer({"bootstrap.servers": BROKERS, "linger.ms": 5, "compression.type": "lz4", "enable.idempotence": True,
                     "queue.buffering.max.messages": 1000000})


def consumer(group, topic):
    c = Consumer({"bootstrap.servers": BROKERS, "group.id": group, "enable.auto.commit": False, "auto.offset.reset": "earliest",
                  "fetch.wait.max.ms": 100})
    c.subscribe([topic])
    return c


def produce(p, topic, value, key):
    while True:
        try:
            p.produce(topic, value, key)
            return
        except BufferError:
            p.poll(0.1)


def replay(path, rows):
    p = producer()
    run = f"{int(time.time() * 1000):012x}"
    run = f"{run[:8]}-{run[8:]}-7000-8000-"
    with open(path, newline="") as f:
        lines = csv.reader(f)
        names = next(lines)
        who = [names.index(n) for n in ("name_1", "name_2", "street")]
        for n, row in zip(range(rows), lines):
            key = row[who[0]] + row[who[1]] + row[who[2]]
            produce(p, "transactions", orjson.dumps({"transaction_id": f"{run}{n:012x}", "data": dict(zip(names, row))}), key)
            if n % 1000 == 0:
                p.poll(0)
    left = p.flush(60)
    sys.exit(1 if left else 0)


def features(rows, names, cats):
    d = pd.DataFrame.from_records(rows)
    at = pd.to_datetime(d["transaction_time"])
    d["is_weekend"] = (at.dt.day_of_week >= 5).astype(int)
    for part in ("year", "month", "day", "hour", "minute"):
        d[part] = getattr(at.dt, part)
    x = d[names].copy()
    for n in names:
        x[n] = x[n].astype(str) if n in cats else x[n].astype(float)
    return x


def score(path):
    model = CatBoostClassifier().load_model(path)
    names = model.feature_names_
    cats = {names[i] for i in model.get_cat_feature_indices()}
    c, p = consumer("python-score", "transactions"), producer()
    due = {}
    committed = time.monotonic()
    while not stopping:
        messages = [m for m in c.consume(BATCH, timeout=0.1) if not m.error()]
        if messages:
            values = [orjson.loads(m.value()) for m in messages]
            x = features([v["data"] for v in values], names, cats)
            for m, v, s in zip(messages, values, model.predict_proba(x, thread_count=1)[:, 1]):
                out = [{"score": float(s), "fraud_flag": int(s >= 0.5), "transaction_id": v["transaction_id"]}]
                produce(p, "scoring", orjson.dumps(out), m.key())
                due[m.topic(), m.partition()] = m.offset() + 1
            p.poll(0)
        if due and time.monotonic() - committed > 1:
            p.flush()
            c.commit(offsets=[TopicPartition(t, n, o) for (t, n), o in due.items()], asynchronous=True)
            due, committed = {}, time.monotonic()
    c.close()


async def sink():
    db = await asyncpg.connect(os.environ["PYTHON_DATABASE"])
    c = consumer("python-sink", "scoring")
    while not stopping:
        messages = [m for m in c.consume(1000, timeout=0.01) if not m.error()]
        if not messages:
            continue
        rows = {v["transaction_id"]: v for m in messages for v in orjson.loads(m.value())}
        ids = sorted(rows)
        await db.execute("INSERT INTO fraud_scores (transaction_id, score, fraud_flag) SELECT * FROM "
                         "unnest($1::uuid[], $2::float8[], $3::int[]) ON CONFLICT DO NOTHING", ids,
                         [rows[i]["score"] for i in ids], [rows[i]["fraud_flag"] for i in ids])
        c.commit(asynchronous=True)
    await db.close()
    c.close()


signal.signal(signal.SIGTERM, stop)
if sys.argv[1] == "replay":
    replay(sys.argv[2], int(sys.argv[3]))
elif sys.argv[1] == "score":
    score(sys.argv[2])
else:
    asyncio.run(sink())
