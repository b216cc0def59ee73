-- Passwords of the roles that the services log in as; all the same, as upstream. Those of postgres and supabase_admin are the image's work.
\set ON_ERROR_STOP on
\getenv password POSTGRES_PASSWORD
begin;
alter role authenticator password :'password';
alter role pgbouncer password :'password';
alter role supabase_auth_admin password :'password';
alter role supabase_functions_admin password :'password';
alter role supabase_storage_admin password :'password';
commit;
