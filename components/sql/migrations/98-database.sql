-- The image's own scripts grant rights on a database named postgres, whatever POSTGRES_DB says (supabase/postgres, migrations/db:
-- migrate.sh, init-scripts 02 and 03, migrations demote-postgres and supabase_auth_admin_db_grants). Here they are given on ours.
\set ON_ERROR_STOP on
\getenv database POSTGRES_DB
begin;
alter database :"database" owner to postgres;
grant all on database :"database" to postgres, dashboard_user;
grant create on database :"database" to supabase_auth_admin, supabase_storage_admin;
-- Newer images have it.
select format('grant create on database %I to supabase_realtime_admin', :'database')
where exists (select from pg_roles where rolname = 'supabase_realtime_admin')
\gexec
commit;
