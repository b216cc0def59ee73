module supastack.local/images/stub

go 1.22
