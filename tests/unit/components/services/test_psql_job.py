"""Jobs that give psql a file."""

from components.plan import Plan
from components.service import Edge, Gate, Kind, Secret
from components.settings import load

SETTINGS = {
    "supastack:imageSource": "registry",
    "supastack:plainDatabase": {"enabled": True, "extensions": ["pgcrypto"]},
    "supastack:supabase": {
        "database": {"schemas": ["one"]},
        "realtime": {"tables": ["public.todos"]},
        "storage": {"buckets": {"files": {}}},
    },
}


def jobs():
    every = [service for made in Plan(load(SETTINGS, stack="dev")).services.values() for service in made]
    return {service.name: service for service in every if service.kind is Kind.JOB and service.entrypoint == ("psql",)}


def test_all_jobs_on_databases_are_of_one_shape():
    found = jobs()
    assert set(found) == {"realtime-tables", "schemas", "storage-buckets", "plain-setup"}
    for job in found.values():
        assert job.command[:-1] == ("--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--file"), job.name
        assert [file.path for file in job.files] == [job.command[-1]], job.name
        assert {name for name, value in job.env.items() if any(isinstance(p, Secret) for p in value.parts)} == {"PGPASSWORD"}


def test_each_waits_for_its_server_and_the_buckets_for_what_makes_their_tables():
    gates = {name: [edge for edge in job.connects if edge.gate is Gate.HEALTHY] for name, job in jobs().items()}
    assert gates == {
        "realtime-tables": [Edge("postgres", Gate.HEALTHY)],
        "schemas": [Edge("postgres", Gate.HEALTHY)],
        "storage-buckets": [Edge("storage", Gate.HEALTHY)],
        "plain-setup": [Edge("plain-postgres", Gate.HEALTHY)],
    }
    assert Edge("postgres") in jobs()["storage-buckets"].connects
