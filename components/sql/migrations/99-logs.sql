-- Where analytics (Logflare) keeps its tables, which it makes itself.
\set ON_ERROR_STOP on
\getenv owner POSTGRES_USER
\connect _supabase
create schema if not exists _analytics;
alter schema _analytics owner to :"owner";
