module supastack.local/cluster/pause

go 1.22
