-- Database webhooks: triggers that call a URL by pg_net. Runs as a superuser, before roles.sql, which sets the password of
-- supabase_functions_admin. Names, columns and the order of the trigger's arguments are upstream's: Studio makes such triggers.
\set ON_ERROR_STOP on
begin;

do $do$
begin
    if not exists (select from pg_roles where rolname = 'supabase_functions_admin') then
        create role supabase_functions_admin login noinherit createrole noreplication;
    end if;
    if exists (select from pg_available_extensions where name = 'pg_net') then
        create extension if not exists pg_net schema extensions;
        -- The image's event trigger issue_pg_net_access has done this and more; it stands here for one that lacks it.
        grant usage on schema net to supabase_functions_admin, postgres, anon, authenticated, service_role;
    else
        raise notice 'webhooks: this server has no pg_net, so webhooks can be declared here but are not sent';
    end if;
end
$do$;

create schema if not exists supabase_functions authorization supabase_admin;
alter role supabase_functions_admin set search_path = supabase_functions;
grant all on schema supabase_functions to supabase_functions_admin;
grant usage on schema supabase_functions to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema supabase_functions
    grant all on tables to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema supabase_functions
    grant all on functions to postgres, anon, authenticated, service_role;
alter default privileges for role postgres in schema supabase_functions
    grant all on sequences to postgres, anon, authenticated, service_role;

create table if not exists supabase_functions.migrations (
    version text primary key,
    inserted_at timestamptz not null default now()
);
insert into supabase_functions.migrations (version) values ('initial'), ('20210809183423_update_grants') on conflict do nothing;

create table if not exists supabase_functions.hooks (
    id bigserial primary key,
    hook_table_id integer not null,
    hook_name text not null,
    created_at timestamptz not null default now(),
    request_id bigint
);
create index if not exists supabase_functions_hooks_request_id_idx on supabase_functions.hooks (request_id);
create index if not exists supabase_functions_hooks_h_table_id_h_name_idx on supabase_functions.hooks (hook_table_id, hook_name);
comment on table supabase_functions.hooks is 'Webhooks that were called, one row a call.';

-- Arguments of the trigger, all text: url, method (GET or POST), headers and parameters as JSON, timeout in milliseconds.
create or replace function supabase_functions.http_request() returns trigger
    language plpgsql security definer set search_path = supabase_functions
as $function$
declare
    hook_url text := nullif(tg_argv[0], 'null');
    hook_method text := nullif(tg_argv[1], 'null');
    hook_headers jsonb := coalesce(nullif(tg_argv[2], 'null'), '{"Content-Type": "application/json"}');
    hook_params jsonb := coalesce(nullif(tg_argv[3], 'null'), '{}');
    hook_timeout integer := coalesce(nullif(tg_argv[4], 'null'), '1000');
    sent bigint;
begin
    if hook_url is null then
        raise exception 'webhook %: it has no url', tg_name;
    end if;
    if hook_method is null or hook_method not in ('GET', 'POST') then
        raise exception 'webhook %: its method is %, and can be GET or POST', tg_name, coalesce(hook_method, 'missing');
    end if;
    if to_regnamespace('net') is null and not exists (select from pg_available_extensions where name = 'pg_net') then
        raise warning 'webhook %: not sent, since this server has no pg_net', tg_name;
        return new;
    end if;
    if hook_method = 'GET' then
        select net.http_get(hook_url, hook_params, hook_headers, hook_timeout) into sent;
    else
        select net.http_post(
            hook_url,
            jsonb_build_object('type', tg_op, 'schema', tg_table_schema, 'table', tg_table_name, 'record', new, 'old_record', old),
            hook_params,
            hook_headers,
            hook_timeout
        ) into sent;
    end if;
    insert into hooks (hook_table_id, hook_name, request_id) values (tg_relid::integer, tg_name, sent);
    return new;
end
$function$;

-- The owners first: what is granted to an owner goes along when it changes.
alter table supabase_functions.migrations owner to supabase_functions_admin;
alter table supabase_functions.hooks owner to supabase_functions_admin;
alter function supabase_functions.http_request() owner to supabase_functions_admin;
revoke all on function supabase_functions.http_request() from public;
grant execute on function supabase_functions.http_request() to postgres, anon, authenticated, service_role;
grant all on all tables in schema supabase_functions to postgres, anon, authenticated, service_role;
grant all on all sequences in schema supabase_functions to postgres, anon, authenticated, service_role;
grant supabase_functions_admin to postgres;

commit;
