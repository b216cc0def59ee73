-- Where the pooler (Supavisor) keeps its tables, which it makes itself.
\set ON_ERROR_STOP on
\getenv owner POSTGRES_USER
\connect _supabase
create schema if not exists _supavisor;
alter schema _supavisor owner to :"owner";
