"""How many examples hypothesis tries of a law: a fifth in everyday runs, all with `--hypothesis-profile=full`."""

from hypothesis import settings

ALL = settings.get_current_profile_name() == "full"


def laws(examples, **more):
    """Settings for a law that has to hold for this many examples."""
    return settings(max_examples=examples if ALL else max(examples // 5, 10), deadline=None, **more)
