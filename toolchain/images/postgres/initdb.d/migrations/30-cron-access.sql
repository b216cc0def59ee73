-- As upstream: once pg_cron is there, whoever created it, postgres can schedule jobs. pg_cron also writes its tables as the
-- extension's owner, which is postgres when postgres created it, while the tables belong to the superuser.
create function extensions.grant_cron_access() returns event_trigger
    language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if exists (select from pg_event_trigger_ddl_commands() where object_identity = 'pg_cron') then
        grant usage on schema cron to postgres with grant option;
        grant all on all tables in schema cron to postgres;
        grant all on all sequences in schema cron to postgres;
        grant execute on all functions in schema cron to postgres with grant option;
    end if;
end
$$;
create event trigger grant_cron_access on ddl_command_end when tag in ('CREATE EXTENSION')
    execute function extensions.grant_cron_access();
