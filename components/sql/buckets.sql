-- Storage's buckets and policies as the settings ask for them. components.services.storage_buckets puts in what they say, as JSON, and
-- whether Storage is a stub here. All or nothing, one at a time, and again at any time.
-- Buckets that are not asked for any more stay, with their objects. Of policies only those are replaced or dropped that were made here:
-- they bear a comment with the hash of what they say.
-- Columns: supabase/storage migrations/tenant, 0002-storage-schema, 0007-add-public-to-buckets, 0012-add-bucket-custom-limits,
-- 0014-use-bytes-for-max-size.
\set ON_ERROR_STOP on
begin;
set local search_path = public, extensions;
select pg_advisory_xact_lock(hashtext('supastack'), hashtext('buckets')) \g /dev/null
select set_config('supastack.buckets', @BUCKETS@, true) \g /dev/null
select set_config('supastack.storage_is_stub', @STUB@, true) \g /dev/null

do $do$
declare
    buckets constant jsonb := current_setting('supastack.buckets');
    bucket record;
    wanted record;
    made record;
    role text;
    grantees text;
    definition text;
    mark text;
begin
    if to_regclass('storage.buckets') is null or to_regclass('storage.objects') is null then
        if current_setting('supastack.storage_is_stub') = 'true' then
            raise notice 'Storage is a stub here and has no tables: no bucket and no policy was made';
            return;
        end if;
        raise exception 'Storage says that it is well, and has not made its tables storage.buckets and storage.objects: see its log';
    end if;
    if not (select relrowsecurity from pg_class where oid = to_regclass('storage.objects')) then
        raise exception 'row level security is off for storage.objects, so policies have no effect: alter table storage.objects enable row level security';
    end if;

    for bucket in select key as name, value as said from jsonb_each(buckets) loop
        insert into storage.buckets as held (id, name, public, file_size_limit, allowed_mime_types)
        values (
            bucket.name,
            bucket.name,
            (bucket.said ->> 'public')::boolean,
            (bucket.said ->> 'fileSizeLimit')::bigint,
            case when bucket.said ? 'allowedMimeTypes' then array(select jsonb_array_elements_text(bucket.said -> 'allowedMimeTypes')) end
        )
        on conflict (id) do update
            set public = excluded.public,
                file_size_limit = excluded.file_size_limit,
                allowed_mime_types = excluded.allowed_mime_types
            where (held.public, held.file_size_limit, held.allowed_mime_types)
                is distinct from (excluded.public, excluded.file_size_limit, excluded.allowed_mime_types);
        raise notice 'bucket %: %', bucket.name, case when found then 'set' else 'as it was' end;
    end loop;

    for wanted in
        select b.key as bucket, p.key as name, p.value as said
        from jsonb_each(buckets) as b, jsonb_each(b.value -> 'policies') as p
    loop
        grantees := '';
        for role in select jsonb_array_elements_text(wanted.said -> 'roles') loop
            if role <> 'public' and not exists (select from pg_roles where rolname = role) then
                raise exception 'policy "%" of bucket %: there is no role %', wanted.name, wanted.bucket, role;
            end if;
            grantees := concat_ws(', ', nullif(grantees, ''), case when role = 'public' then role else quote_ident(role) end);
        end loop;
        -- Each holds for its own bucket alone, whatever its condition says.
        definition := format('for %s to %s', wanted.said ->> 'command', grantees);
        if wanted.said ->> 'command' <> 'insert' then
            definition := definition
                || format(' using (bucket_id = %L%s)', wanted.bucket, ' and (' || (wanted.said ->> 'using') || ')');
        end if;
        if wanted.said ->> 'command' = 'insert' or wanted.said ? 'withCheck' then
            definition := definition
                || format(' with check (bucket_id = %L%s)', wanted.bucket, ' and (' || (wanted.said ->> 'withCheck') || ')');
        end if;
        mark := 'supastack ' || md5(definition);
        select obj_description(oid, 'pg_policy') as comment into made
        from pg_policy where polrelid = to_regclass('storage.objects') and polname = wanted.name;
        if found and coalesce(made.comment, '') !~ '^supastack [0-9a-f]{32}$' then
            raise exception 'policy "%" of bucket %: storage.objects has one of that name that was not made by Supastack. It was left as it is; choose another name, or drop it',
                wanted.name, wanted.bucket;
        end if;
        if found and made.comment = mark then
            raise notice 'policy "%": as it was', wanted.name;
            continue;
        end if;
        if found then
            execute format('drop policy %I on storage.objects', wanted.name);
        end if;
        execute format('create policy %I on storage.objects %s', wanted.name, definition);
        execute format('comment on policy %I on storage.objects is %L', wanted.name, mark);
        raise notice 'policy "%": set', wanted.name;
    end loop;

    for made in
        select polname as name from pg_policy
        where polrelid = to_regclass('storage.objects')
            and obj_description(oid, 'pg_policy') ~ '^supastack [0-9a-f]{32}$'
            and not exists (select from jsonb_each(buckets) as b where b.value -> 'policies' ? polname)
    loop
        execute format('drop policy %I on storage.objects', made.name);
        raise notice 'policy "%": dropped, since the settings do not have it any more', made.name;
    end loop;
end
$do$;
commit;
