-- What the settings ask for in the plain database: extensions and a role that may read. components.services.plain_postgres puts in what they
-- say, as JSON. It can run again at any time, and takes nothing away.
\set ON_ERROR_STOP on
begin;
select pg_advisory_xact_lock(hashtext('supastack'), hashtext('plain')) \g /dev/null
select set_config('supastack.plain', @WANTED@, true) \g /dev/null

do $do$
declare
    wanted constant jsonb := current_setting('supastack.plain');
    reader constant text := wanted ->> 'readOnlyRole';
    extension text;
begin
    for extension in select jsonb_array_elements_text(wanted -> 'extensions') loop
        execute format('create extension if not exists %I', extension);
    end loop;
    if reader is null then
        return;
    end if;
    if not exists (select from pg_roles where rolname = reader) then
        execute format('create role %I nologin', reader);
    end if;
    execute format('grant connect on database %I to %I', current_database(), reader);
    execute format('grant usage on schema public to %I', reader);
    -- What is there by now, and what the owner will make.
    execute format('grant select on all tables in schema public to %I', reader);
    execute format('grant select on all sequences in schema public to %I', reader);
    execute format('alter default privileges in schema public grant select on tables to %I', reader);
    execute format('alter default privileges in schema public grant select on sequences to %I', reader);
end
$do$;
commit;
