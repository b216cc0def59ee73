-- What a database lacks that the services need, one line each (supabase-contract.md, 4: database initialisation).
\set ON_ERROR_STOP on
with wanted (kind, name) as (
    select 'role', unnest(array['anon', 'authenticated', 'authenticator', 'postgres', 'service_role', 'supabase_admin', 'supabase_auth_admin',
        'supabase_storage_admin'])
    union all select 'schema', unnest(array['auth', 'extensions', 'storage'])
    union all select 'extension', unnest(array['pgcrypto', 'uuid-ossp'])
)
select concat_ws(' ', kind, name) from wanted
where not case kind
    when 'role' then exists (select from pg_roles where rolname = name)
    when 'schema' then exists (select from pg_namespace where nspname = name)
    else exists (select from pg_extension where extname = name)
end
union all
select format('membership of authenticator in %I', role.rolname) from pg_roles as role, pg_roles as authenticator
where role.rolname in ('anon', 'authenticated', 'service_role') and authenticator.rolname = 'authenticator'
    and not pg_has_role(authenticator.oid, role.oid, 'member')
union all
select 'publication supabase_realtime' where not exists (select from pg_publication where pubname = 'supabase_realtime')
union all
select format('wal_level = logical, for Realtime (it is %s)', current_setting('wal_level')) where current_setting('wal_level') <> 'logical'
union all
select format('PostgreSQL 15 at least (it is %s)', current_setting('server_version')) where current_setting('server_version_num')::int < 150000;
