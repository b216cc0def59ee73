"""Real clients against a running stack: what an app would do, and what must still be there afterwards."""

from dataclasses import dataclass
from typing import Any

import boto3
import psycopg
import redis
from botocore.config import Config


@dataclass(frozen=True)
class Clients:
    """Talks to the database, the cache and the object store by a stack's outputs, in the daemon's network."""

    outputs: dict[str, Any]

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of a statement."""
        with psycopg.connect(self.outputs["DB_URL"], connect_timeout=10, autocommit=True) as connection:
            done = connection.execute(statement, values)
            return done.fetchall() if done.description else []

    @property
    def cache(self) -> "redis.Redis":
        """A client of the cache."""
        return redis.Redis.from_url(self.outputs["REDIS_URL"], decode_responses=True, socket_timeout=10)

    @property
    def store(self) -> Any:
        """A client of the object store, as the buckets' user."""
        return boto3.client(
            "s3",
            endpoint_url=self.outputs["S3_ENDPOINT"],
            aws_access_key_id=self.outputs["S3_ACCESS_KEY"],
            aws_secret_access_key=self.outputs["S3_SECRET_KEY"],
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 3}),
        )

    def write(self, mark: str) -> None:
        """A row, a key and an object."""
        self.sql("create table if not exists kept (mark text primary key)")
        self.sql("insert into kept values (%s)", mark)
        self.cache.set(f"kept:{mark}", mark)
        self.store.put_object(Bucket=self.outputs["S3_BUCKET"], Key=f"kept/{mark}", Body=mark.encode())

    def marks(self) -> tuple[set[str], set[str], set[str]]:
        """The marks of all rows, keys and objects."""
        rows = {row[0] for row in self.sql("select mark from kept")}
        keys = {key.split(":", 1)[1] for key in self.cache.scan_iter("kept:*")}
        listed = self.store.list_objects_v2(Bucket=self.outputs["S3_BUCKET"], Prefix="kept/").get("Contents", [])
        return rows, keys, {item["Key"].split("/", 1)[1] for item in listed}
