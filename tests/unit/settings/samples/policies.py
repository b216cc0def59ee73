"""Samples for waivers of policies."""

from components import policy_settings
from tests.unit.settings.samples.common import HIDDEN, Samples, Texts

TEXTS: Samples = {
    policy_settings.waived: Texts(
        right=("image-digests", "replicas/supabase-meta", "backups"),
        wrong=(HIDDEN, "image-digest", "image-digests/", "", "Image-Digests", " backups", "*"),
    ),
    policy_settings.reason: Texts(
        right=("no digest of these was read in any source yet", "a person to ask is away until May"),
        wrong=("", "because", "          ", "\n"),
        free=True,
    ),
}
