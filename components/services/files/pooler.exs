# Supavisor's tenant: this stack's database. Run by `supavisor eval`, after the migration and before the server.
#
# The tenant is made anew at each start, so that a password or a pool size that changed takes effect. It is deleted without being
# read: what is encrypted in it may be from another VAULT_ENC_KEY. This text stands in the arguments of a process, so whatever is
# secret comes from the environment.
{:ok, _} = Application.ensure_all_started(:supavisor)

number = fn name -> name |> System.fetch_env!() |> String.to_integer() end
tenant = System.fetch_env!("POOLER_TENANT_ID")
pool_size = number.("POOLER_DEFAULT_POOL_SIZE")

%{rows: [[version_text]]} = Supavisor.Repo.query!("select version()")
{:ok, version} = Supavisor.Helpers.parse_pg_version(version_text)

wanted = %{
  "external_id" => tenant,
  "db_host" => System.fetch_env!("POSTGRES_HOST"),
  "db_port" => number.("POSTGRES_PORT"),
  "db_database" => System.fetch_env!("POSTGRES_DB"),
  "require_user" => false,
  "auth_query" => "SELECT * FROM pgbouncer.get_auth($1)",
  "default_max_clients" => number.("POOLER_MAX_CLIENT_CONN"),
  "default_pool_size" => pool_size,
  "default_parameter_status" => %{"server_version" => version},
  "users" => [
    %{
      "db_user" => "pgbouncer",
      "db_password" => System.fetch_env!("POSTGRES_PASSWORD"),
      "mode_type" => System.fetch_env!("POOLER_POOL_MODE"),
      "pool_size" => pool_size,
      "is_manager" => true
    }
  ]
}

made =
  Supavisor.Repo.transaction(fn ->
    Supavisor.Tenants.delete_tenant_by_external_id(tenant)

    case Supavisor.Tenants.create_tenant(wanted) do
      {:ok, _} -> :made
      {:error, changeset} -> Supavisor.Repo.rollback(changeset.errors)
    end
  end)

case made do
  {:ok, :made} ->
    IO.puts("Supavisor: the tenant #{tenant} is ready")

  # The errors name fields, not values.
  {:error, errors} ->
    IO.puts(:stderr, "Supavisor: the tenant #{tenant} can't be made: #{inspect(errors)}")
    System.halt(1)
end
