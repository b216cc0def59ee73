-- As upstream: users work as postgres, which is no superuser; supabase_admin stays one.
\getenv database POSTGRES_DB
grant all on database :"database" to postgres;
grant all on schema auth, storage, extensions to postgres;
grant all on all tables in schema extensions to postgres;
grant all on all routines in schema extensions to postgres;
alter default privileges for role supabase_admin in schema public grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role supabase_admin in schema public grant all on sequences to postgres, anon, authenticated, service_role;
grant pg_monitor, pg_read_all_data, pg_signal_backend to postgres;
alter role postgres nosuperuser createdb createrole login replication bypassrls;
