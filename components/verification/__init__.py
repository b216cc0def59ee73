"""What others run, asked at deployment with the credentials that the settings give (`supastack:verify`)."""
