-- Passwords of all roles that services log in as (supabase-contract.md, 4: those that upstream's own change of it sets), and what SQL reads
-- of the tokens. Upstream's list has roles that can't log in; they have no password here.
\set ON_ERROR_STOP on
\getenv password DATABASE_PASSWORD
\getenv sync_password SYNC_PASSWORD
\getenv jwt_exp JWT_EXP
\getenv jwt_secret JWT_SECRET
begin;
select pg_advisory_xact_lock(hashtext('supastack'), hashtext('database')) \g /dev/null

\if :{?sync_password}
select format('create role supastack_sync superuser login')
where not exists (select from pg_roles where rolname = 'supastack_sync')
\gexec
alter role supastack_sync superuser login password :'sync_password';
comment on role supastack_sync is 'Supastack brings the passwords of the other roles in line as this one.';
\endif

select format('alter role %I password %L', rolname, :'password') from pg_roles
where rolname in ('authenticator', 'pgbouncer', 'postgres', 'supabase_admin', 'supabase_auth_admin', 'supabase_functions_admin',
    'supabase_storage_admin')
order by rolname
\gexec

-- In the database's settings, not in the tables of any service.
select format('alter database %I set "app.settings.jwt_exp" to %L', current_database(), :'jwt_exp')
where not exists (
    select from pg_db_role_setting, unnest(setconfig) as s
    where setrole = 0 and setdatabase = (select oid from pg_database where datname = current_database())
        and s = 'app.settings.jwt_exp=' || :'jwt_exp'
)
\gexec
-- Every role can read it, so it is never brought in; a database that has it (upstream's older ones, hosted ones) has the right one.
select format('alter database %I set "app.settings.jwt_secret" to %L', current_database(), :'jwt_secret')
where exists (
    select from pg_db_role_setting, unnest(setconfig) as s
    where setrole = 0 and setdatabase = (select oid from pg_database where datname = current_database())
        and s like 'app.settings.jwt_secret=%' and s <> 'app.settings.jwt_secret=' || :'jwt_secret'
)
\gexec
commit;
