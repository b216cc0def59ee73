-- What SQL can read of the tokens: current_setting('app.settings.jwt_exp'), their lifetime in seconds.
\set ON_ERROR_STOP on
\getenv database POSTGRES_DB
\getenv jwt_exp JWT_EXP
alter database :"database" set "app.settings.jwt_exp" to :'jwt_exp';
