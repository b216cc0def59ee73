-- A fixture, not Storage's schema: the columns, keys and rights of storage.buckets and storage.objects that the buckets job and policies
-- touch, since storage-api, which makes them, can't be had here. Columns from supabase/storage, migrations/tenant: 0002-storage-schema,
-- 0007-add-public-to-buckets, 0012-add-bucket-custom-limits, 0014-use-bytes-for-max-size, 0017-alter-owner-data-type,
-- 0037-add-bucket-name-length-constraint; owners from supabase/postgres, nix/tests/expected/storage.out.
set role supabase_storage_admin;
create table storage.buckets (
    id text primary key,
    name text not null unique check (length(name) > 0 and length(name) < 64),
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    public boolean default false,
    file_size_limit bigint,
    allowed_mime_types text[],
    owner_id text
);
create table storage.objects (
    id uuid primary key default gen_random_uuid(),
    bucket_id text references storage.buckets (id),
    name text,
    owner uuid,
    created_at timestamptz default now(),
    updated_at timestamptz default now(),
    last_accessed_at timestamptz default now(),
    metadata jsonb,
    owner_id text,
    unique (bucket_id, name)
);
alter table storage.objects enable row level security;
create function storage.foldername(name text) returns text[] language sql immutable
    return (string_to_array(name, '/'))[1:cardinality(string_to_array(name, '/')) - 1];
reset role;
