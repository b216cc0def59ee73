-- Where Realtime keeps its tables, which it makes itself.
\set ON_ERROR_STOP on
\getenv owner POSTGRES_USER
create schema if not exists _realtime;
alter schema _realtime owner to :"owner";
