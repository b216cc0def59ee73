-- The roles of upstream's image, with their attributes and settings as its tests list them (supabase/postgres, nix/tests/expected:
-- roles.out, z_17_roles.out, realtime.out). Passwords of the services' roles are set by the stack's own roles.sql.
-- Left out: what belongs to extensions that are not here (pgsodium_*, pgtle_admin; authenticator's preloaded safeupdate).
alter role supabase_admin superuser createdb createrole replication bypassrls;
alter role supabase_admin set search_path = "$user", public, auth, extensions;
alter role supabase_admin set log_statement = none;
alter role postgres set search_path = "$user", public, extensions;

create role supabase_replication_admin login replication;
create role supabase_etl_admin login replication;
grant pg_read_all_data to supabase_etl_admin;
create role supabase_read_only_user login bypassrls;
grant pg_read_all_data to supabase_read_only_user;
create role supabase_superuser nologin;
grant supabase_superuser to postgres, supabase_etl_admin;

create role anon nologin;
create role authenticated nologin;
create role service_role nologin bypassrls;
alter role anon set statement_timeout = '3s';
alter role authenticated set statement_timeout = '8s';
create role authenticator login noinherit;
alter role authenticator set statement_timeout = '8s';
alter role authenticator set lock_timeout = '8s';
grant anon, authenticated, service_role to authenticator;

create role supabase_auth_admin login noinherit createrole;
alter role supabase_auth_admin set search_path = auth;
alter role supabase_auth_admin set idle_in_transaction_session_timeout = 60000;
alter role supabase_auth_admin set log_statement = none;
create role supabase_storage_admin login noinherit createrole;
alter role supabase_storage_admin set search_path = storage;
alter role supabase_storage_admin set log_statement = none;
grant authenticator to supabase_storage_admin;
create role supabase_realtime_admin login noinherit createrole replication;
alter role supabase_realtime_admin set search_path = realtime;
grant anon, authenticated, service_role to supabase_realtime_admin;
create role dashboard_user nologin createdb createrole replication;
create role pgbouncer login;
