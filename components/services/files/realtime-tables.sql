-- Puts tables into the publication supabase_realtime: `schema.table`, or `schema.*` for all of a schema, also those that come later.
-- The names stand outside of the block: one with $job$ in it would end that.
SELECT set_config('supastack.realtime_tables', ARRAY[@TABLES@]::text[]::text, false) \g /dev/null
DO $job$
DECLARE
  wanted text;
  in_schema text;
  in_table text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'supabase_realtime') THEN
    CREATE PUBLICATION supabase_realtime;
  END IF;
  IF (SELECT puballtables FROM pg_publication WHERE pubname = 'supabase_realtime') THEN
    RAISE NOTICE 'the publication holds all tables already';
    RETURN;
  END IF;
  FOREACH wanted IN ARRAY current_setting('supastack.realtime_tables')::text[] LOOP
    in_schema := split_part(wanted, '.', 1);
    in_table := split_part(wanted, '.', 2);
    IF to_regnamespace(quote_ident(in_schema)) IS NULL
       OR (in_table <> '*' AND to_regclass(format('%I.%I', in_schema, in_table)) IS NULL) THEN
      RAISE WARNING '% is not there yet, so Realtime can''t tell of it. Once it is, start this container again.', wanted;
    ELSIF in_table = '*' THEN
      IF EXISTS (
        SELECT FROM pg_publication_namespace n JOIN pg_publication p ON p.oid = n.pnpubid
        WHERE p.pubname = 'supabase_realtime' AND n.pnnspid = to_regnamespace(quote_ident(in_schema))
      ) THEN
        RAISE NOTICE '% is in the publication already', wanted;
      ELSE
        EXECUTE format('ALTER PUBLICATION supabase_realtime ADD TABLES IN SCHEMA %I', in_schema);
        RAISE NOTICE '% is in the publication now', wanted;
      END IF;
    ELSIF EXISTS (
      SELECT FROM pg_publication_tables
      WHERE pubname = 'supabase_realtime' AND schemaname = in_schema AND tablename = in_table
    ) THEN
      RAISE NOTICE '% is in the publication already', wanted;
    ELSE
      EXECUTE format('ALTER PUBLICATION supabase_realtime ADD TABLE %I.%I', in_schema, in_table);
      RAISE NOTICE '% is in the publication now', wanted;
    END IF;
  END LOOP;
END
$job$;
