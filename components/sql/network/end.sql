-- The mark of a database that was prepared to its end: it is there with all of the rest, or not at all.
reset session authorization;
reset role;
reset all;
\getenv release SUPASTACK_RELEASE
create schema supastack;
create table supastack.bootstrap (
    made_at timestamptz not null default now(),
    release text not null
);
comment on schema supastack is 'Supastack prepared this database; what it prepares is never prepared again.';
revoke all on schema supastack from public;
insert into supastack.bootstrap (release) values (:'release');
commit;
