"""What a run would do, and why: from a recipe, its dataset and the lockfile to steps with a price."""
