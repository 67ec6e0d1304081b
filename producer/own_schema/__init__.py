"""Events of the user's own schema, described in YAML."""
