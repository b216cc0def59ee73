-- Schemas that the other services expect before their own migrations run.
create publication supabase_realtime;

create schema extensions;
grant usage on schema extensions to anon, authenticated, service_role;
create extension "uuid-ossp" schema extensions;
create extension pgcrypto schema extensions;

grant usage on schema public to anon, authenticated, service_role;
alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
alter default privileges in schema public grant all on functions to anon, authenticated, service_role;
alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;

create schema auth authorization supabase_auth_admin;
alter role supabase_auth_admin set search_path = auth;
create schema storage authorization supabase_storage_admin;
alter role supabase_storage_admin set search_path = storage;
\getenv database POSTGRES_DB
grant create on database :"database" to supabase_auth_admin, supabase_storage_admin;

create schema pgbouncer authorization pgbouncer;
create function pgbouncer.get_auth(p_usename text) returns table (username text, password text)
    language sql security definer set search_path = pg_catalog
    as $$ select usename::text, passwd::text from pg_catalog.pg_shadow where usename = p_usename $$;
revoke all on function pgbouncer.get_auth(text) from public;
grant execute on function pgbouncer.get_auth(text) to pgbouncer;
