-- The database in which the pooler and analytics keep what is theirs; made whether they run or not, since this runs only once.
\set ON_ERROR_STOP on
\getenv owner POSTGRES_USER
select format('create database _supabase owner %I', :'owner')
where not exists (select from pg_database where datname = '_supabase')
\gexec
