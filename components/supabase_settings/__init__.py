"""The settings of a Supabase stack's services, a file each; see `components.setting_types`."""
