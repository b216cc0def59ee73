"""Samples for the checks of tenants, of the lifetimes of the cache and of scheduled tasks."""

from components import cache_lifetimes, tenant_settings
from components.supabase_settings import schedule
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

TEXTS: Samples = {
    tenant_settings.tenant_id: Texts(
        right=("acme", "org_1", "5f0c0b9e-7c1d-4a57-9a64-3d0f6c1b2a11", "a", "x" * 63),
        wrong=("Acme", "_acme", "acme-", "a b", "a.b", "a/b", "../a", "ä", "x" * 64),
    ),
    tenant_settings.org_id: Texts(
        right=("42", "org_1", "5f0c0b9e-7c1d-4a57-9a64-3d0f6c1b2a11", "EU:Acme.1"), wrong=("a b", "-a", "a/b", "ä", "x" * 129)
    ),
    tenant_settings.compliance_label: Texts(right=("soc2", "hipaa", "iso-27001"), wrong=("SOC2", "soc 2", "-a", "a_b", "x" * 33)),
    tenant_settings.secret_name: Texts(
        right=("databasePassword", "anonKey", "redisUrl"),
        wrong=("DatabasePassword", "password", "databasePassword ", "cachePassword"),
    ),
    cache_lifetimes.kind: Texts(
        right=("productCatalog", "settings", "a1"), wrong=("ProductCatalog", "product-catalog", "a_b", "1a", "a.b")
    ),
    cache_lifetimes.lifetime: Texts(
        right=("5m", "300s", "0s", "1h", "365d"), wrong=("5", "m", "5 m", "-5m", "05m", "1.5h", "366d", "5min")
    ),
    schedule.times: Texts(
        right=("0 3 * * *", "*/15 * * * *", "0 9-17 * * 1,3,5", "30 seconds"),
        wrong=(
            "* * * *",
            "0 0 3 * * *",
            "60 * * * *",
            "* 24 * * *",
            "5-1 * * * *",
            "*/0 * * * *",
            "60 seconds",
            "@daily",
            "0 3 * * MON",
        ),
    ),
    schedule.task_name: Texts(right=("cleanup", "send_mail-2"), wrong=("Cleanup", "1a", "a b", "a'b", "x" * 51)),
    schedule.statement: Texts(
        right=("call clean_up()", "delete from t;\ndelete from u"), wrong=(" ", f"{HIDDEN}\0", "x" * 10001), free=True
    ),
}
