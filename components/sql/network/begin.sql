-- Begins the transaction that prepares a database, one at a time, and goes on only where it is empty.
\set ON_ERROR_STOP on
begin;
select pg_advisory_xact_lock(hashtext('supastack'), hashtext('database')) \g /dev/null
select to_regclass('supastack.bootstrap') is not null as done \gset
\if :done
\echo 'supastack: this database has been prepared before: nothing is done'
\q
\endif

do $do$
declare
    found text;
begin
    if current_setting('server_version_num')::int < 150000 then
        raise exception 'this server is PostgreSQL %, and Supabase needs 15 at least', current_setting('server_version');
    end if;
    -- What an extension brought along is not counted, nor what an operator puts into public for its pooler.
    select string_agg(name, ', ' order by name) into found
    from (
        select 'schema ' || nspname as name from pg_namespace
        where nspname !~ '^pg_' and nspname not in ('information_schema', 'public')
            and not exists (select from pg_depend where classid = 'pg_namespace'::regclass and objid = pg_namespace.oid and deptype = 'e')
        union all
        select 'relation ' || oid::regclass from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'v', 'm', 'S', 'f', 'p')
            and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e')
        union all
        select 'function ' || oid::regprocedure from pg_proc
        where pronamespace = 'public'::regnamespace and proname <> 'user_search'
            and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e')
        union all
        select 'publication ' || pubname from pg_publication
        union all
        -- Roles belong to the whole server: those of another stack have its passwords.
        select 'role ' || rolname from pg_roles
        where rolname in ('anon', 'authenticated', 'authenticator', 'dashboard_user', 'pgbouncer', 'service_role', 'supabase_auth_admin',
            'supabase_functions_admin', 'supabase_storage_admin')
    ) as things;
    if found is not null then
        raise exception 'the database % on this server is not empty, and nothing in it says that Supastack prepared it: it was left as it is. Found: %',
            current_database(), case when length(found) > 500 then left(found, 500) || ' ...' else found end;
    end if;
end
$do$;

-- The two that the files are run as. The password comes by the environment.
\getenv password DATABASE_PASSWORD
select not exists (select from pg_roles where rolname = 'postgres') as lacks_postgres,
    not exists (select from pg_roles where rolname = 'supabase_admin') as lacks_admin \gset
\if :lacks_postgres
create role postgres superuser login password :'password';
\endif
\if :lacks_admin
create role supabase_admin login password :'password';
\endif
alter role supabase_admin superuser createdb createrole replication bypassrls;
