-- As upstream: PostgREST is told to read the schema again whenever it may have changed.
create function extensions.pgrst_ddl_watch() returns event_trigger
    language plpgsql set search_path = pg_catalog
as $$
begin
    if exists (
        select from pg_event_trigger_ddl_commands()
        where schema_name is distinct from 'pg_temp' and command_tag ~ '^(CREATE|ALTER|COMMENT|SELECT INTO|GRANT|REVOKE)'
    ) then
        notify pgrst, 'reload schema';
    end if;
end
$$;
create function extensions.pgrst_drop_watch() returns event_trigger
    language plpgsql set search_path = pg_catalog
as $$
begin
    if exists (select from pg_event_trigger_dropped_objects() where not is_temporary) then
        notify pgrst, 'reload schema';
    end if;
end
$$;
create event trigger pgrst_ddl_watch on ddl_command_end execute function extensions.pgrst_ddl_watch();
create event trigger pgrst_drop_watch on sql_drop execute function extensions.pgrst_drop_watch();
